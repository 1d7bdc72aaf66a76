"""How far a pass that writes token by token goes on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsgcli.core.backend import Lexicon


class Watch:
    """Tells after each token of a pass whether it has gone far enough for a query.

    CTranslate2 may keep it for a moment when the pass is over, in a thread of the model's, so it
    must not know the backend: the model cannot be freed by a thread of its own.
    """

    def __init__(
        self, lexicon: Lexicon, least: int, most: int, words: float = 1, above: float = 0.0
    ) -> None:
        """Go on for at least and at most so many steps, and between them for so many words.

        Not beyond ``least`` if the token there is not more probable than ``above``.
        """
        self._lexicon = lexicon
        self._least, self._most, self._words = least, most, words
        self._above = math.log(above) if above > 0 else -math.inf
        self._steps = 0
        self._inside = False  # a word has begun
        self._before: tuple[int, ...] = ()  # the token before

    def enough(self, token: int, logp: float) -> bool:
        """Take the next token and its log-probability; tell whether to stop behind it."""
        self._steps += 1
        if self._steps < self._least:
            return False
        if self._steps == self._least and logp <= self._above:
            return True
        self._words -= self._inside and self._lexicon.starts_word(token, self._before)
        self._before = (token,)
        self._inside |= bool(self._lexicon.text([token]).strip())
        return self._steps >= self._most or self._words <= 0
