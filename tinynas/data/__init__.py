"""Labelled data: reading, checking, laying out, normalising, splitting, and the scores of predictions."""

from tinynas.data.dataset import Dataset
from tinynas.data.idx import read_idx, write_idx
from tinynas.data.layout import Layout
from tinynas.data.metrics import FoldScores, Scores, confusion, score
from tinynas.data.normalize import Normalization
from tinynas.data.splits import Fold

digits = Dataset.digits
from_arrays = Dataset.from_arrays
load = Dataset.load
load_pair = Dataset.load_pair

__all__ = [
    "Dataset",
    "Fold",
    "FoldScores",
    "Layout",
    "Normalization",
    "Scores",
    "confusion",
    "digits",
    "from_arrays",
    "load",
    "load_pair",
    "read_idx",
    "score",
    "write_idx",
]
