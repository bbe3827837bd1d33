"""Labeled faces: load, describe, check and split them, with NumPy alone."""

from emopy.data.augment import Augmentation, augment, augment_batch
from emopy.data.checks import CheckReport, Finding, check
from emopy.data.ckplus import ConvertReport, convert_ckplus
from emopy.data.csv import CSVDataLoader
from emopy.data.csv_layout import CSVLayout, CSVSettings
from emopy.data.dataset import Dataset, ImageStats, SkippedSample, load_dataset
from emopy.data.directory import DirectoryDataLoader, SubjectRule, save_folders
from emopy.data.duplicates import DuplicateGroup, find_duplicates, find_near_duplicates
from emopy.data.features import (
    FeatureExtractor,
    hog_features,
    hog_images,
    lbp_features,
    lbp_images,
)
from emopy.data.ferplus import FERPlusDataLoader, VotedFaces, read_ferplus
from emopy.data.ferplus_splits import PrepareReport, prepare_ferplus
from emopy.data.figures import contact_sheet, plot_counts
from emopy.data.open import Loader, open_data
from emopy.data.split import Splits, split
from emopy.data.summary import describe
from emopy.data.votes import majority_targets, spread_vote_targets, vote_targets
from emopy.data.whitening import Whitening
from emopy.labels import FER2013_LABELS

__all__ = [
    "FER2013_LABELS",
    "Augmentation",
    "CSVDataLoader",
    "CSVLayout",
    "CSVSettings",
    "CheckReport",
    "ConvertReport",
    "Dataset",
    "DirectoryDataLoader",
    "DuplicateGroup",
    "FERPlusDataLoader",
    "FeatureExtractor",
    "Finding",
    "ImageStats",
    "Loader",
    "PrepareReport",
    "SkippedSample",
    "Splits",
    "SubjectRule",
    "VotedFaces",
    "Whitening",
    "augment",
    "augment_batch",
    "check",
    "contact_sheet",
    "convert_ckplus",
    "describe",
    "find_duplicates",
    "find_near_duplicates",
    "hog_features",
    "hog_images",
    "lbp_features",
    "lbp_images",
    "load_dataset",
    "majority_targets",
    "open_data",
    "plot_counts",
    "prepare_ferplus",
    "read_ferplus",
    "save_folders",
    "split",
    "spread_vote_targets",
    "vote_targets",
]
