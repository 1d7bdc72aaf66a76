"""What is to be done with text, whoever asks for it."""

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
    """What the input is, and how it is treated. The command line's defaults."""

    kind: Kind = "auto"
    json_fields: tuple[str, ...] = ()
    by_line: bool = True  # a line in, a line out; else a sentence is a line
    protect: bool = True  # what is no prose is copied
    patterns: tuple[str, ...] = ()  # regular expressions of words that are copied too
    floor: float | None = None  # mean log-probability below which a sentence stays as it is
    own_floor: bool = True  # the model's own, in place of ``floor``
    memory: tuple[tuple[str, str], ...] = ()  # known translations
    phrases: bool = True  # those of what systems say
    encoding: str = UTF_8
    strict: bool = False  # fail on input that its encoding does not have
    idle: float | None = 2.0  # seconds without input that end a word
    bulk: bool = True  # what is complete is translated at once; else units come one by one

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
        Finder(self.patterns)  # which tells what is wrong with them

    def check_characters(self, directions: Directions) -> None:
        """Raise UsageError for what models that read characters cannot do."""
        wrong = {
            "--from auto": directions.told,
            "--protect-regex": bool(self.patterns),
            "--as": self.kind != "auto",
        }
        if directions.by_character and any(wrong.values()):
            option = next(option for option, asked in wrong.items() if asked)
            raise UsageError(f"{option} needs words; this model reads characters")
