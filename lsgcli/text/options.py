"""Options of a translation of text, for the command line and the Python API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.errors import UsageError
from lsgcli.text.encoding import UTF_8
from lsgcli.text.items import Finder

if TYPE_CHECKING:
    from lsgcli.models.directions import Directions
    from lsgcli.text.structure.kinds import Kind


@dataclass(frozen=True)
class TextOptions:
    """What the input is, and how it is treated. The defaults are the command line's."""

    kind: Kind = "auto"
    json_fields: tuple[str, ...] = ()
    by_line: bool = True  # one line in, one line out; else a sentence a line
    protect: bool = True  # copy what is no prose
    patterns: tuple[str, ...] = ()  # regular expressions of words that are copied too
    floor: float | None = None  # mean log-probability, in nats, below which a sentence is left
    own_floor: bool = True  # use the model's floor, not ``floor``
    memory: tuple[tuple[str, str], ...] = ()  # known translations
    phrases: bool = True  # also the table of system phrases
    encoding: str = UTF_8
    strict: bool = False  # fail on input that is invalid in its encoding
    idle: float | None = 2.0  # seconds without input that end a word
    bulk: bool = True  # translate what is complete at once; else units come one by one

    def check(self) -> None:
        """Raise UsageError for options that exclude each other."""
        auto = self.kind == "auto"
        if not self.protect and (self.patterns or self.json_fields or not auto):
            option = "--protect-regex" if self.patterns else "--as" if not auto else "--json-field"
            raise UsageError(f"{option} has no effect with --no-protect")
        if self.json_fields and self.kind not in ("auto", "log", "json"):
            raise UsageError(f"--json-field has no effect with --as {self.kind}")
        if not self.by_line and (self.json_fields or not auto):
            option = "--json-field" if auto else "--as"
            raise UsageError(f"{option} is about lines; it has no effect with --segment sentence")
        Finder(self.patterns)  # which checks the patterns

    def check_characters(self, directions: Directions) -> None:
        """Raise UsageError for options that models of characters do not support."""
        wrong = {
            "--from auto": directions.told,
            "--protect-regex": bool(self.patterns),
            "--as": self.kind != "auto",
        }
        if directions.by_character and any(wrong.values()):
            option = next(option for option, asked in wrong.items() if asked)
            raise UsageError(f"{option} needs words; this model reads characters")
