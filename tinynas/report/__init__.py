"""What a run has found, for people: the page report.html, and tables of trials and of runs."""

from tinynas.report.compare import Comparison, compare
from tinynas.report.drawing import draw
from tinynas.report.facts import RunFacts, read_facts
from tinynas.report.family import lineage
from tinynas.report.find import find_trial
from tinynas.report.page import write_report
from tinynas.report.plot import plot_front
from tinynas.report.trials import ranked, trial_row

__all__ = [
    "Comparison",
    "RunFacts",
    "compare",
    "draw",
    "find_trial",
    "lineage",
    "plot_front",
    "ranked",
    "read_facts",
    "trial_row",
    "write_report",
]
