"""The old names: what ``import EmoPy`` finds. Nothing in `emopy` imports this package.

- `old_modules`: the old import paths; each warns and names the line to write today
- `fermodel`, `data`, `networks`, `training`: the old classes with their old arguments
- `examples`: the old sample images
"""

__all__: list[str] = []
