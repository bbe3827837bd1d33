"""LABELLED FACES: load, look over and divide them, with NumPy alone."""

from emopy.data.checks import CheckReport, Finding, check
from emopy.data.dataset import Dataset, load_dataset
from emopy.data.directory import DirectoryDataLoader
from emopy.data.ferplus import FERPlusDataLoader, VotedFaces, read_ferplus
from emopy.data.open import open_data
from emopy.data.prepare import PrepareReport, prepare_ferplus
from emopy.data.problems import Problem
from emopy.data.repeats import RepeatGroup, find_repeats
from emopy.data.split import Parts
from emopy.data.summary import describe
from emopy.data.votes import majority_targets, vote_targets

__all__ = [
    "CheckReport",
    "Dataset",
    "DirectoryDataLoader",
    "FERPlusDataLoader",
    "Finding",
    "Parts",
    "PrepareReport",
    "Problem",
    "RepeatGroup",
    "VotedFaces",
    "check",
    "describe",
    "find_repeats",
    "load_dataset",
    "majority_targets",
    "open_data",
    "prepare_ferplus",
    "read_ferplus",
    "vote_targets",
]
