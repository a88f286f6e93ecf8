"""The page in Debian's Chromium: no error, every section drawn, the front answers; light, dark, and on a phone."""

import os
import shutil
from pathlib import Path

import pytest

from tests.report.conftest import Story, make_run
from tinynas.report import read_facts, write_report

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 812}}
SECTIONS = ("accuracy", "confusion", "pareto", "anytime", "architecture", "memory", "layers", "infeasible", "family")
CHARTS = ("ram", "flash", "latency", "anytime", "memory")
EVIL = "</script><script>window.evil = true</script>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here: make system-packages installs it")

# Where on the screen a trial stands in a chart, by its number.
PLACE = """([chart, number]) => {
  const view = [...Bokeh.index.roots].find((view) => view.model.name === "pareto-" + chart);
  const {data} = view.model.renderers[0].data_source;
  const row = data.number.indexOf(String(number));
  const box = view.el.getBoundingClientRect();
  const {x_scale, y_scale} = view.frame;
  return [box.x + x_scale.compute(data["at_" + chart][row]), box.y + y_scale.compute(data.score[row])];
}"""
# The cells whose text is wider than the room that they have.
CUT = """(cells) => [...document.querySelectorAll(cells)].filter((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const text = range.getBoundingClientRect(), box = cell.getBoundingClientRect();
  return text.right > Math.min(box.right + 0.5, innerWidth) || text.left < box.left - 0.5;
}).map((cell) => cell.textContent.trim())"""
# The texts of a drawing that reach beyond it.
BEYOND = """(drawing) => [...document.querySelectorAll(drawing)].flatMap((svg) => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const {left, right, top, bottom} = text.getBoundingClientRect();
    return left < box.left - 0.5 || right > box.right + 0.5 || top < box.top - 0.5 || bottom > box.bottom + 0.5;
  }).map((text) => text.textContent);
})"""
# How many pixels of a chart's canvases are not blank, and the size of the largest.
INK = """(chart) => {
  const found = [];
  const walk = (node) => {
    if (node.tagName === "CANVAS") found.push(node);
    for (const child of [...node.children, ...(node.shadowRoot ? [node.shadowRoot] : [])]) walk(child);
  };
  walk(document.querySelector(`[data-chart="${chart}"]`));
  let ink = 0, width = 0;
  for (const canvas of found) {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 3; i < data.length; i += 4) ink += data[i] > 0;
    width = Math.max(width, canvas.clientWidth);
  }
  return [ink, width];
}"""
TIPS = """() => {
  const texts = [];
  const walk = (node) => {
    if (node.classList?.contains("tip")) texts.push(node.innerText);
    for (const child of [...node.children, ...(node.shadowRoot ? [node.shadowRoot] : [])]) walk(child);
  };
  walk(document.body);
  return texts;
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make install")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Open a page; what the console and the network said is kept with it."""
    opened = []

    def open_page(path: Path, size="desk", scheme="light"):
        context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, offline=True)
        page = context.new_page()
        page.trouble, page.asked = [], []
        page.on("console", lambda said: page.trouble.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.resolve().as_uri())
        page.wait_for_function("window.Bokeh && Bokeh.documents.length && Bokeh.documents.every((d) => d.is_idle)")
        opened.append(context)
        return page

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    names = (EVIL, "a class with a name that does not end for a while", "b", "c")
    folder = make_run(tmp_path_factory.mktemp("browser") / "run", Story(class_names=names, shape=(16, 16, 3), rungs=2))
    write_report(folder)
    return folder


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        ("desk", "light"),
        ("phone", "dark"),
        pytest.param("desk", "dark", marks=pytest.mark.slow),
        pytest.param("phone", "light", marks=pytest.mark.slow),
    ],
)
def test_everything_is_drawn_without_an_error(visit, run, size, scheme):
    page = visit(run / "report.html", size, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    for section in SECTIONS:
        box = page.locator(f"#{section}").bounding_box()
        assert box["height"] > 60
    for chart in CHARTS:
        ink, width = page.evaluate(INK, chart)
        assert ink > 500, f"{chart} is blank"
        assert width > 150
    cards = page.locator("svg.network g.card")
    best = read_facts(run).best.architecture
    assert cards.count() == 1 + len(best.blocks) + (3 if best.head.hidden_units else 2)
    for number in range(cards.count()):
        assert cards.nth(number).bounding_box()["width"] > 100
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = sum(map(int, paper.removeprefix("rgb(").rstrip(")").split(",")))
    assert (bright > 600) == (scheme == "light")
    assert not page.evaluate("window.evil")
    assert page.trouble == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize(
    ("size", "chart"),
    [
        ("desk", "ram"),
        pytest.param("desk", "flash", marks=pytest.mark.slow),
        pytest.param("phone", "latency", marks=pytest.mark.slow),
    ],
)
def test_a_trial_is_shown_when_pointed_at_and_kept_when_clicked(visit, run, chart, size):
    facts = read_facts(run)
    trial = next(t for t in facts.trials if t.evaluation.folds and t.number != facts.best.number)
    page = visit(run / "report.html", size)
    assert page.locator("#picked").get_attribute("data-trial") == str(facts.best.number)
    page.locator(f'[data-chart="{chart}"]').scroll_into_view_if_needed()
    x, y = page.evaluate(PLACE, [chart, trial.number])
    page.mouse.move(x - 4, y - 4)
    page.mouse.move(x, y)
    page.wait_for_function(f"({TIPS})().length > 0")
    tips = " ".join(page.evaluate(TIPS)).replace("\N{NO-BREAK SPACE}", " ")
    assert f"trial {trial.number} " in tips
    assert f"int8 {100 * trial.evaluation.mean():.2f} %" in tips
    assert f"arena {trial.evaluation.footprint.arena_bytes:,} B" in tips
    page.mouse.click(x, y)
    page.wait_for_function(f"document.getElementById('picked').dataset.trial === '{trial.number}'")
    said = page.locator("#picked").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert str(trial.architecture) in said
    assert f"{trial.evaluation.footprint.flash_bytes:,} B" in said
    assert page.trouble == []


@pytest.mark.slow
def test_charts_follow_when_the_colours_change(visit, run):
    page = visit(run / "report.html")
    chart = page.locator('[data-chart="anytime"]')
    chart.scroll_into_view_if_needed()
    light = chart.screenshot()
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    changed = chart.screenshot()
    fresh = visit(run / "report.html", scheme="dark").locator('[data-chart="anytime"]')
    fresh.scroll_into_view_if_needed()
    assert light != changed
    assert _mean_difference(changed, fresh.screenshot()) < 1.0


def _mean_difference(one: bytes, other: bytes) -> float:
    import io

    import numpy as np
    from PIL import Image

    a, b = (np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=float) for data in (one, other))
    return float(np.abs(a[: len(b), : b.shape[1]] - b[: len(a), : a.shape[1]]).mean())


@pytest.mark.slow
def test_a_page_without_charts_needs_no_library(browser, tmp_path):
    folder = make_run(tmp_path / "run", Story(trained=0, infeasible=3, failed=0, ended=False))
    path = write_report(folder)
    page = browser.new_page()
    trouble = []
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(path.resolve().as_uri())
    assert page.locator("h1").inner_text().startswith("Nothing is trained yet")
    assert trouble == []
    page.close()


@pytest.mark.slow
def test_of_marks_that_overlap_the_best_is_picked(visit, tmp_path):
    """All trials at one place but for their scores, which differ by less than a pixel."""
    folder = make_run(tmp_path / "run", Story(trained=6, infeasible=0, failed=0, finalists=0, ended=False, same=True))
    facts = read_facts(folder)
    page = visit(write_report(folder))
    page.locator('[data-chart="ram"]').scroll_into_view_if_needed()
    page.evaluate("Bokeh.documents[0].get_model_by_name('pareto-ram').renderers[0].data_source.selected.indices = []")
    x, y = page.evaluate(PLACE, ["ram", facts.trials[2].number])
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    page.wait_for_function(f"document.getElementById('picked').dataset.trial === '{facts.best.number}'")
    chosen = "Bokeh.documents[0].get_model_by_name('pareto-ram').renderers[0].data_source.selected.indices.length"
    assert page.evaluate(chosen) == 1
    assert len(page.evaluate(TIPS)) <= 2


@pytest.mark.parametrize(
    "n_classes", [10, pytest.param(20, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.slow)]
)
def test_accuracy_and_confusion_are_whole_on_a_phone(browser, tmp_path, n_classes):
    """Nothing is cut off or has to be scrolled sideways: every cell lies within the screen."""
    names = tuple(f"class number {n}" for n in range(n_classes))
    path = write_report(make_run(tmp_path / "run", Story(class_names=names)))
    page = browser.new_page(viewport=SIZES["phone"])
    page.goto(path.resolve().as_uri())
    for section in ("accuracy", "confusion"):
        right = page.evaluate(
            f"Math.max(...[...document.querySelectorAll('#{section} td, #{section} th')].map("
            "(cell) => cell.getBoundingClientRect().right))"
        )
        assert right <= SIZES["phone"]["width"], section
        scrolled = "(wide) => wide.scrollWidth - wide.clientWidth"
        assert page.evaluate(f"[...document.querySelectorAll('#{section} .wide')].map({scrolled})")[0] <= 1, section
        cut = page.evaluate(CUT, f"#{section} td.n:not(:empty), #{section} td.side:not(:empty)")
        assert cut == [], section
    assert page.evaluate(BEYOND, ".curve") == [], "a label of the curve is cut"
    page.close()
