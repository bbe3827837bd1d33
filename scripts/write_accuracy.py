"""Write the accuracy of README.md from the card of the bundled model."""

from __future__ import annotations

from pathlib import Path

from emopy.models import DEFAULT_MODEL, ModelCard, load_model, readme_from_card

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- accuracy -->", "<!-- /accuracy -->"


def table(card: ModelCard) -> str:
    """The figures as the model's own README shows them."""
    _, section = readme_from_card(card).split("## How good it is\n\n", 1)
    return section.split("\n## ", 1)[0].strip()


def with_table(text: str, card: ModelCard) -> str:
    """The README with the table between its two marks replaced."""
    before, rest = text.split(START, 1)
    _, after = rest.split(END, 1)
    return f"{before}{START}\n{table(card)}\n{END}{after}"


if __name__ == "__main__":
    card = load_model(DEFAULT_MODEL).card
    README.write_text(with_table(README.read_text(encoding="utf-8"), card), encoding="utf-8")
    print(README)
