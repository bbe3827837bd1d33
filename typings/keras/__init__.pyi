# Keras ships no types; what can be inferred from its source is wrong too often to help.
from typing import Any

def __getattr__(name: str) -> Any: ...
