"""The old modules, by their old names."""
