"""Labelled data: reading, checking, laying out, normalising, splitting, and the scores of predictions."""

from tinynas.data.balance import class_weights
from tinynas.data.dataset import Dataset
from tinynas.data.groups import Groups
from tinynas.data.idx import read_idx, write_idx
from tinynas.data.layout import Layout
from tinynas.data.metrics import FoldScores, Scores, confusion, mistakes, score
from tinynas.data.normalize import Normalization
from tinynas.data.samples import Samples
from tinynas.data.splits import Fold
from tinynas.data.values import ValueDataset
from tinynas.features import IntLogMel, MelFeatures, Spectral

digits = Dataset.digits
from_arrays = Dataset.from_arrays
from_tf_data = Dataset.from_tf_data
load = Dataset.load
load_pair = Dataset.load_pair

__all__ = [
    "Dataset",
    "Fold",
    "FoldScores",
    "Groups",
    "IntLogMel",
    "Layout",
    "MelFeatures",
    "Normalization",
    "Samples",
    "Scores",
    "Spectral",
    "ValueDataset",
    "class_weights",
    "confusion",
    "digits",
    "from_arrays",
    "from_tf_data",
    "load",
    "load_pair",
    "mistakes",
    "read_idx",
    "score",
    "write_idx",
]
