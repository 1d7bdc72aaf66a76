"""A model's card: tables of what evaluate.py measured.

A card that is there keeps its text and gets new tables. Where there is none a plain one is begun,
to which belongs what no program knows: what the model was trained on, what it is good for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsgcli.models.manifest import load
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.spec import PolicySettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lsgcli.policy.levels import Thresholds

NAME = "README.md"
SETS = (
    "direction",
    "test set",
    "BLEU",
    "chrF",
    "lines with all protected words whole",
    "placeholders invented",
)
SYSTEMS = ("direction", "system", "AL", "BLEU", "chrF", "BLEU above wait-k at this AL")
ANSWERS = ("in", "out")
PLAIN = """\
# {name}

Directions: {directions}. Licence: {licence}

Through `lsg`, whole lines, int8, greedy (BLEU 13a, chrF2):

{sets}

LSG at its four levels, and other policies:

{systems}

What is not there to be translated, {first}:

{answers}
"""


@dataclass
class Results:
    """Rows of the tables, by their columns."""

    rows: dict[tuple[str, ...], list[Sequence[str]]] = field(
        default_factory=lambda: {SETS: [], SYSTEMS: [], ANSWERS: []}
    )

    def tables(self) -> dict[tuple[str, ...], str]:
        """Markdown."""
        return {columns: _table(columns, rows) for columns, rows in self.rows.items()}


def write(model: Path, results: Results) -> None:
    """Write the card, or new tables into it; one without rows stays as it is."""
    file, tables = model / NAME, results.tables()
    if file.exists():
        text = file.read_text(encoding="utf-8")
        for columns, table in tables.items():
            if results.rows[columns]:
                text = _replaced(text, columns, table)
    else:
        manifest = load(model)
        text = PLAIN.format(
            name=model.name,
            directions=", ".join(map(arrow, manifest.directions)),
            licence=manifest.licence,
            first=arrow(manifest.directions[0]),
            sets=tables[SETS],
            systems=tables[SYSTEMS],
            answers=tables[ANSWERS],
        )
    file.write_text(text, encoding="utf-8")


def arrow(direction: str) -> str:
    """How a direction is written in a card.

    >>> arrow("en-de")
    'en→de'
    """
    return direction.replace("-", "→")


def level_titles(thresholds: Thresholds) -> dict[str, str]:
    """What the systems of the levels are called in a card, by what ``lsg eval run`` calls them."""
    names: dict[Lsg, list[str]] = {}
    for name in thresholds.levels.ranges():
        policy = PolicySettings("lsg", latency=name).policy(thresholds)
        assert isinstance(policy, Lsg)
        names.setdefault(policy, []).append(f"`{name}`")
    return {
        str(p): f"LSG {', '.join(own)}: [{p.lower}, {p.upper}] δ={p.delta:g} α={p.alpha:g}"
        for p, own in names.items()
    }


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *rows]
    lines = ([cell.replace("|", "\\|") for cell in line] for line in cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _replaced(text: str, columns: Sequence[str], table: str) -> str:
    """The text with another table of these columns. Raises SystemExit if it has none."""
    header = f"| {' | '.join(columns)} |\n"
    if header not in text:
        raise SystemExit(f"the card has no table with the columns {header.strip()}")
    before, after = text.split(header, 1)
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith("|"):
        rest.pop(0)
    return f"{before}{table}\n{''.join(rest)}"
