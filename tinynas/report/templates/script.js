window.tinynas = {
  // What a click on a trial shows below the charts: texts only, never markup.
  showTrial(source) {
    const place = source.selected.indices[0];
    const panel = document.getElementById("picked");
    if (place === undefined) return;
    panel.dataset.trial = source.data.number[place];
    for (const field of panel.querySelectorAll("[data-field]"))
      field.textContent = source.data[field.dataset.field][place];
  },
};
document.querySelector("#copy")?.addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(document.querySelector("#command").textContent);
  event.target.textContent = "Copied";
});
// Charts read the page's colours when they are painted: paint them anew when the colours change.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const view of window.Bokeh?.index?.roots ?? []) view.invalidate_render();
});
