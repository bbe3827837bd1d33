"""OLD NAMES: what ``import EmoPy`` finds. Thin; everything is done by the other rooms.

- `src`, `library`, `models`, `examples`: the old modules, each with a `DeprecationWarning` that
  names the line to write today
- `adapters`: the old classes with their old arguments, on top of today's
"""

__all__: list[str] = []
