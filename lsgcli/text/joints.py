"""Whitespace between sentences, as the language of the translation has it.

What stands between two sentences is copied, so a source without spaces would leave none between
English sentences, and an English one would put spaces between Chinese ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsgcli import languages
from lsgcli.scripts import OPENING, WIDE

NARROW = str.maketrans(
    {
        "。": ".",
        "，": ",",
        "、": ",",
        "；": ";",
        "：": ":",
        "！": "!",
        "？": "?",
        "（": " (",
        "）": ")",
    }
)


@dataclass
class Joints:
    """Keeps what an output line ends with."""

    target: str  # language
    _last: str = ""  # character of the line
    _own: bool = False  # it is a translation's

    def before(self, given: str, source: str, *, fixed: bool = False) -> str:
        """Return the whitespace before a translation from the language ``source``.

        ``given`` is what the source has there; ``fixed``: the format of the line rules.
        """
        if fixed or not self._last:
            return given
        if self.target in languages.JOINED and source not in languages.JOINED:
            return "" if given == " " and WIDE.match(self._last) else given
        opened = self._last.isspace() or self._last in OPENING
        words = self._own or self._last.isalnum() or self._last == "`"
        missing = not given and not opened and words
        return " " if missing and self._from_unspaced(source) else given

    def copy(self, text: str, source: str) -> str:
        """Return a copied passage as it is to be written."""
        if not self._own or not self._from_unspaced(source):
            return text
        if text.strip() and all(map(WIDE.match, text.strip())):
            return text.translate(NARROW)
        spaced = self._last.isspace() or self._last in OPENING
        begins = text[:1].isalnum() or text[:1] == "`"
        return f" {text}" if begins and not spaced else text

    def wrote(self, text: str, *, own: bool) -> None:
        """Note what has been written; ``own``: by a model."""
        if text:
            self._last, self._own = text[-1], own

    def end_line(self) -> None:
        """Note that a line begins."""
        self._last, self._own = "", False

    def _from_unspaced(self, source: str) -> bool:
        return source in languages.UNSPACED and self.target not in languages.JOINED
