"""Old home of the weights; one model serves every subset of its emotions today."""

from emopy.legacy.notice import old_name

old_name("EmoPy.models", "emopy models list")
