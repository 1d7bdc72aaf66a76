"""How tokens make words, for the models whose tokens carry the space before a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.backends.vocabulary import Texts
    from lsgcli.core.distribution import Tokens
    from lsgcli.models.manifest import Unit

CLOSING = re.compile('[.,;:!?…)\\]}»”“"。，、；：！？）」』】]+')


class TokenLexicon:
    """Words of the target: what ``Lexicon`` asks for, but for what depends on the source."""

    located = False

    def __init__(self, vocabulary: Texts, end: frozenset[int], unit: Unit = "word") -> None:
        """Take the target's vocabulary, its end tokens, and what is a word in it."""
        self._texts = vocabulary
        self._end = end
        self.by_character = unit == "character"
        self._following: dict[bool, Tokens] = {}

    def starts_word(self, token: int) -> bool:
        """Whether a space stands before it; of characters, whether it begins one."""
        data = self._texts.bytes(token)
        if not self.by_character:
            return data[:1].isspace()
        return bool(data) and not 0x80 <= data[0] < 0xC0 and not self._closes(token)

    @property
    def after_word(self) -> Tokens:
        """Tokens that begin a word, closing punctuation, and end tokens."""
        known = self._following.get(self.by_character)
        if known is None:
            known = np.array([self._may_follow(token) for token in range(self._texts.size)])
            self._following[self.by_character] = known
        return known

    def ends(self, token: int) -> bool:
        """Whether it is one of the manifest's end tokens."""
        return token in self._end

    def holds(self, token: int) -> bool:
        """No token; the end token itself is not written before the source ends."""
        return False

    def text(self, tokens: Sequence[int]) -> str:
        """The tokens' bytes as UTF-8; what is no UTF-8 becomes U+FFFD."""
        return b"".join(map(self._texts.bytes, tokens)).decode(errors="replace")

    def _may_follow(self, token: int) -> bool:
        return self.ends(token) or self.starts_word(token) or self._closes(token)

    def _closes(self, token: int) -> bool:
        return bool(CLOSING.fullmatch(self.text([token])))
