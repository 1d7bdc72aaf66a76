"""Whitespace between sentences, as the language of the translation has it.

What stands between two sentences is copied, so a source without spaces would leave none between
English sentences, and an English one would put spaces between Chinese ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsgcli import languages
from lsgcli.scripts import OPENING, WIDE

NARROW = str.maketrans("。，、；：！？）", ".,,;:!?)")
BEGINS = re.compile(r"[^\W_]|[`$]|<[A-Za-z]")  # copies that stand behind a space in a text
CLOSING_TAG = re.compile(r"</[A-Za-z][^<>]*>$")


@dataclass
class Joints:
    """Keeps what an output line ends with."""

    target: str  # language
    _last: str = ""  # character of the line
    _own: bool = False  # it is a translation's
    _closed: bool = False  # it is that of a closing tag

    def before(self, given: str, source: str, *, fixed: bool = False) -> str:
        """Return the whitespace before a translation from the language ``source``.

        ``given`` is what the source has there; ``fixed``: the format of the line rules.
        """
        if fixed or not self._last:
            return given
        if self.target in languages.JOINED and source not in languages.JOINED:
            return "" if given == " " and WIDE.match(self._last) else given
        opened = self._last.isspace() or self._last in OPENING
        words = self._own or self._closed or self._last.isalnum() or self._last == "`"
        missing = not given and not opened and words
        return " " if missing and self._from_unspaced(source) else given

    def copy(self, text: str, source: str) -> str:
        """Return a copied passage as it is to be written, and note that it has been."""
        if self._from_unspaced(source):
            if text and all(ord(mark) in NARROW for mark in text):
                self.wrote(narrow := text.translate(NARROW), own=True)
                return narrow
            if self._own and not self._last.isspace() and BEGINS.match(text):
                text = f" {text}"
        self.wrote(text, own=False)
        return text

    def wrote(self, text: str, *, own: bool) -> None:
        """Note what has been written; ``own``: by a model."""
        if text:
            self._last, self._own = text[-1], own
            self._closed = not own and CLOSING_TAG.search(text) is not None

    def end_line(self) -> None:
        """Note that a line begins."""
        self._last, self._own, self._closed = "", False, False

    def _from_unspaced(self, source: str) -> bool:
        return source in languages.UNSPACED and self.target not in languages.JOINED
