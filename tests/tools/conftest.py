"""The tools are programs beside the package: their folder comes onto the path as when one of them is run."""

import sys
from pathlib import Path

from tests.searching.conftest import limits, space  # noqa: F401  # fixtures

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
