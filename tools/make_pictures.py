"""The pictures of the README, out of a run's report: what a person sees who opens it.

    python tools/make_pictures.py RUN [--out docs/pictures]

Each is a part of report.html in headless Chromium (Debian's chromium: `make system-packages`), brought to few colours
so that it stays small. The same run gives the same pictures but for the fonts of the machine.
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tinynas.report import write_report

# Name of the picture -> the parts of the page, from the first to the last of them.
PARTS = {
    "report": ("header", "#verdict"),
    "front": ("#pareto",),
    "memory": ("#memory",),
    "architecture": ("#architecture",),
}
MARGIN = 12  # pixels around a part
COLOURS = 128


def main() -> None:
    """Write the pictures of the run that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is not installed: make system-packages.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    page_file = write_report(arguments.run)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1040, "height": 1000}, color_scheme="light")
        page.goto(page_file.resolve().as_uri())
        page.wait_for_load_state("networkidle")
        for name, parts in PARTS.items():
            path = arguments.out / f"{name}.png"
            small(shot(page, parts)).save(path, optimize=True)
            print(f"{path}: {path.stat().st_size:,} B")
        browser.close()


def shot(page: Page, parts: tuple[str, ...]) -> Image.Image:
    """The page from the top of the first part to the bottom of the last."""
    boxes = [page.locator(part).first.bounding_box() for part in parts]
    found = [box for box in boxes if box is not None]
    if len(found) < len(parts):
        raise SystemExit(f"The report has no {' or no '.join(parts)}.")
    left, top = (min(box[side] for box in found) - MARGIN for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in found) + MARGIN
    bottom = max(box["y"] + box["height"] for box in found) + MARGIN
    clip = {"x": max(0, left), "y": max(0, top), "width": right - max(0, left), "height": bottom - max(0, top)}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]


def small(picture: Image.Image) -> Image.Image:
    """The picture with few colours."""
    return picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
