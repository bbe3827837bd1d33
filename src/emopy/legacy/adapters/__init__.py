"""The old classes, on top of today's."""
