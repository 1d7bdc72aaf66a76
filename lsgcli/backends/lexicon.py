"""How tokens make words, for the models whose tokens carry the space before a word."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from lsgcli import languages
from lsgcli.scripts import CLAUSE_ENDS, CLOSING, extends, unspaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lsgcli.backends.vocabulary import Texts
    from lsgcli.core.distribution import Tokens
    from lsgcli.models.manifest import Unit

Writing: TypeAlias = Literal["spaced", "unspaced", "characters"]
THREE_BYTES = 0xE0  # what begins a shorter character, as those of the scripts with spaces are
CLOSES = re.compile(f"[{re.escape(CLOSING)}]+")


class Begin(IntEnum):
    """What a token begins with."""

    NOTHING = 0  # text that goes on: the rest of a character, a combining mark; or no text
    CLOSING = 1  # closing punctuation, and nothing else
    SPACE = 2
    LETTER = 3  # a letter or digit that is one of several in a word
    OTHER = 4  # a letter of a script without spaces, or a sign


def writing(language: str, unit: Unit = "word") -> Writing:
    """How the words of a language are told apart; by character if that is the model's unit."""
    if unit == "character":
        return "characters"
    return "unspaced" if language in languages.UNSPACED else "spaced"


class TokenLexicon:
    """Words of the target: what ``Lexicon`` asks for, but for what depends on the source.

    A word begins with a space. In a script without spaces a word is what a token gives, at least a
    character, and words of other scripts in it are whole. Or each token is a word, that begins with
    a character.
    """

    located = False
    space = " "

    def __init__(self, vocabulary: Texts, end: frozenset[int], writing: Writing = "spaced") -> None:
        """Take the target's vocabulary, its end tokens, and how words are told apart."""
        self._texts = vocabulary
        self._end = end
        self.writing = writing
        self._following: dict[tuple[Writing, bool], Tokens] = {}

    def starts_word(self, token: int, before: Sequence[int] = ()) -> bool:
        """Whether the token begins a word behind ``before``, the word so far."""
        begin = self._begin(token)
        if self.writing == "spaced" or begin == Begin.SPACE:
            return begin == Begin.SPACE
        if begin == Begin.LETTER and self.writing == "unspaced":
            return not self._goes_on(before)
        return begin in (Begin.LETTER, Begin.OTHER)

    def after_word(self, word: Sequence[int]) -> Tokens:
        """Tokens that begin a word behind this one, closing punctuation, and end tokens."""
        joins = self.writing == "unspaced" and self._goes_on(word)
        key = self.writing, joins
        if key not in self._following:
            may = [Begin.SPACE, Begin.CLOSING]
            if self.writing != "spaced":
                may += [Begin.OTHER] if joins else [Begin.OTHER, Begin.LETTER]
            known = np.isin(self._begins, may)
            known[[token for token in self._end if token < len(known)]] = True
            self._following[key] = known
        return self._following[key]

    def ends(self, token: int) -> bool:
        """Whether it is one of the manifest's end tokens."""
        return token in self._end

    def holds(self, token: int) -> bool:
        """Whether it may end a sentence, or closes what does."""
        text = self.text([token]).strip()
        return bool(CLOSES.fullmatch(text)) and set(CLAUSE_ENDS).isdisjoint(text)

    def text(self, tokens: Sequence[int]) -> str:
        """The tokens' bytes as UTF-8; what is no UTF-8 becomes U+FFFD."""
        return b"".join(map(self._texts.bytes, tokens)).decode(errors="replace")

    @cached_property
    def _begins(self) -> npt.NDArray[np.uint8]:
        """What each token begins with, of shape ``[V]``."""
        return np.array([self._begin(token) for token in range(self._texts.size)], np.uint8)

    def _begin(self, token: int) -> Begin:
        data = self._texts.bytes(token)
        if data[:1].isspace():
            return Begin.SPACE
        if not data or 0x80 <= data[0] < 0xC0:
            return Begin.NOTHING
        text = data.decode(errors="replace")
        if text[0] == "\ufffd" and data[0] < THREE_BYTES:
            return Begin.LETTER
        if CLOSES.fullmatch(text):
            return Begin.CLOSING
        if extends(text):
            return Begin.NOTHING
        return Begin.LETTER if text[0].isalnum() and not unspaced(text[0]) else Begin.OTHER

    def _closes(self, token: int) -> bool:
        return self._begin(token) == Begin.CLOSING

    def _goes_on(self, word: Sequence[int]) -> bool:
        """Whether a letter behind a word would belong to it."""
        last = self.text(word[-8:])[-1:]
        return last.isalnum() and not unspaced(last)
