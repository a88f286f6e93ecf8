"""The tools on the path: emulated boards (tools/boards), and what measures the front end (tools/fit_front_end.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
