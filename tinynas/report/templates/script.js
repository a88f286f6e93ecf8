window.tinynas = {
  // What a click on a trial shows below the charts: texts only, never markup.
  showTrial(source) {
    const place = source.selected.indices[0];
    const panel = document.getElementById("picked");
    panel.dataset.trial = place === undefined ? "" : source.data.number[place];
    panel.querySelector(".none").hidden = place !== undefined;
    panel.querySelector(".some").hidden = place === undefined;
    if (place === undefined) return;
    const fixed = new Set(["score", "float"]);
    for (const field of panel.querySelectorAll("[data-field]")) {
      const value = source.data[field.dataset.field][place];
      field.textContent = fixed.has(field.dataset.field) ? value.toFixed(2) + " %" : value;
    }
  },
};
document.querySelector("#copy")?.addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(document.querySelector("#command").textContent);
  event.target.textContent = "Copied";
});
// Charts read the page's colours when they are painted: paint them anew when the colours change.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const view of window.Bokeh?.index?.roots ?? []) view.invalidate_render?.() ?? view.request_repaint?.();
});
