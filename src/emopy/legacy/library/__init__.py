"""The old modules that came from elsewhere."""
