window.tinynas = {
  // What a click on a trial shows below the charts: texts only, never markup. Of marks that overlap the best is meant.
  showTrial(source) {
    const { indices } = source.selected;
    if (indices.length === 0) return;
    const { score, number } = source.data;
    const place = indices.reduce((best, each) => (score[each] > score[best] ? each : best));
    if (indices.length > 1) {
      source.selected.indices = [place]; // comes back here
      return;
    }
    const panel = document.getElementById("picked");
    panel.dataset.trial = number[place];
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
