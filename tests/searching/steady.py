"""A `Worker` for clusters that trains nothing, takes its time, and writes down on which node it began what."""

import os
import time
from pathlib import Path

from tools.torture import Pretend

SECONDS = 0.7


class Steady(Pretend):
    """As `Pretend` of tools/torture.py, but slow enough to be lost in the middle."""

    def evaluate(self, job):
        """Return what Pretend returns."""
        import ray

        with (Path(os.environ["STEADY_NODES"]) / f"{job.number}").open("a") as file:
            file.write(f"{ray.get_runtime_context().get_node_id()}\n")
        time.sleep(SECONDS)
        return super().evaluate(job)
