"""Model folders: find, load, check, run and write them."""

from emopy.models.card import InputSpec, ModelCard
from emopy.models.fetch import fetch, fetched_path
from emopy.models.preprocessing import to_pixels, to_tensor
from emopy.models.prior import Prior, prior_shift
from emopy.models.readme import card_text, readme_from_card
from emopy.models.session import OnnxSession, softmax
from emopy.models.store import (
    DEFAULT_MODEL,
    ModelFolder,
    check_model_folder,
    find_keras_model,
    find_model,
    is_bundled,
    list_models,
    load_model,
)
from emopy.models.write import update_card, write_model_folder

__all__ = [
    "DEFAULT_MODEL",
    "InputSpec",
    "ModelCard",
    "ModelFolder",
    "OnnxSession",
    "Prior",
    "card_text",
    "check_model_folder",
    "fetch",
    "fetched_path",
    "find_keras_model",
    "find_model",
    "is_bundled",
    "list_models",
    "load_model",
    "prior_shift",
    "readme_from_card",
    "softmax",
    "to_pixels",
    "to_tensor",
    "update_card",
    "write_model_folder",
]
