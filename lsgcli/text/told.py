"""What is not translated, or not as a whole, because of a limit: told once."""

from __future__ import annotations

from functools import cache

from lsgcli.log import logger
from lsgcli.scripts import unspaced
from lsgcli.text.words import LONGEST_PROSE


@cache
def tell_of_cut(tokens: int) -> None:
    """Warn, once, that a sentence is cut inside a clause."""
    logger.warning(
        f"a sentence without commas has more than the {tokens} tokens that the model takes at "
        "once; it is translated in parts"
    )


def tell_of_data(text: str) -> None:
    """Warn, once, that a long text without spaces is copied, if it is one of words."""
    if sum(map(unspaced, text)) > LONGEST_PROSE:
        _tell_of_data()


@cache
def _tell_of_data() -> None:
    logger.warning(
        f"more than {LONGEST_PROSE} characters without a space are copied; they are translated "
        "from a language that is written so (--from zh, ja, th)"
    )
