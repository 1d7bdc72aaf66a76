"""What people write and the data lacks: capitals, small letters, emoji, names never heard of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    Texts = tuple[str, str]

CAPITALS = 0.02  # of the plain pairs are in capitals, for people who shout
SMALL = 0.05  # and so many in small letters, for people who do not care
BARE = 0.5  # of these have no punctuation either
STRANGE = 0.04  # of the pairs get something that is copied
RENAMED = 0.3  # of those about somebody whose name is the same in both languages
PROSE = " .,!?'’-¿¡"  # what plain pairs are made of, besides letters
MARKS = re.compile(r"\s?[.,!?]|[¿¡]")
ENDED = re.compile(r"\s?([.!?])$")
RANGES = (
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6FF),
    (0x2190, 0x21FF),
    (0x4E00, 0x9FA5),
    (0x3B1, 0x3C9),
)
SIGNS = ";{}()[]<>=+*/&|^~#@$"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
NAMES = re.compile(r"\b(?:Tom|Mary|John|Sami|Boston)\b")  # whom Tatoeba talks about all the time
KNOWN = "Tom Mary Anna Peter Maria Paul Laura David Sarah Lukas Julia Max Emma Ben Sofia Jan Alex"
ONSETS = "b br ch d dr f g gr h j k kl kr l m n p pr r s sch sh sk st t tr v w z y th"
VOWELS = "a e i o u a e i o ai au ei ie oo"
CODAS = "   n r l s k m t ng nd tz ck"  # three times in fourteen none


def varied(texts: Texts, rng: random.Random) -> Texts:
    """The pair, now and then changed in both texts alike."""
    return _with_stranger(_renamed(_in_case(texts, rng), rng), rng)


def _in_case(texts: Texts, rng: random.Random) -> Texts:
    """Now and then both texts in capitals or in small letters, if they are plain prose."""
    if (drawn := rng.random()) >= CAPITALS + SMALL:
        return texts
    if not all(c.isalpha() or c in PROSE for text in texts for c in text):
        return texts
    first, second = (text.upper() if drawn < CAPITALS else text.lower() for text in texts)
    if drawn < CAPITALS + SMALL * BARE:
        return first, second
    return MARKS.sub("", first).strip(), MARKS.sub("", second).strip()


def _renamed(texts: Texts, rng: random.Random) -> Texts:
    """Now and then with another name for those that everybody knows, made up."""
    here, there = (NAMES.findall(text) for text in texts)
    if not here or sorted(here) != sorted(there) or rng.random() >= RENAMED:
        return texts
    names = {name: made_up_name(rng) for name in dict.fromkeys(here)}
    first, second = (NAMES.sub(lambda found: names[found[0]], text) for text in texts)
    return first, second


def made_up_name(rng: random.Random) -> str:
    """A name that nobody has."""
    parts = [ONSETS, VOWELS] * rng.randint(2, 3) + [CODAS]
    return "".join(rng.choice(part.split(" ")) for part in parts).capitalize()


def somebody(rng: random.Random) -> str:
    """A name: half of the time one that nobody has."""
    return rng.choice((rng.choice(KNOWN.split(" ")), made_up_name(rng)))


def _with_stranger(texts: Texts, rng: random.Random) -> Texts:
    """Now and then the same strange word before or behind both texts: what is to be copied."""
    if rng.random() >= STRANGE:
        return texts
    kind = rng.random()
    if kind < 0.6:  # emoji, arrows, other scripts
        low, high = rng.choice(RANGES)
        word = "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 3)))
    elif kind < 0.8:  # letters of no language
        word = "".join(rng.choices(LETTERS, k=rng.randint(3, 9)))
    else:  # what looks like code
        parts = (rng.choices(SIGNS, k=1) + rng.choices(LETTERS, k=2) for _ in range(3))
        word = "".join(c for part in parts for c in part)
    first, second = texts
    ends = ENDED.search(first), ENDED.search(second)
    if ends[0] and ends[1] and ends[0][1] == ends[1][1] and rng.random() < BARE:
        first, second = first[: ends[0].start()], second[: ends[1].start()]
    order = "{word} {text}" if rng.random() < 0.3 else "{text} {word}"
    first, second = (order.format(word=word, text=text) for text in (first, second))
    return first, second
