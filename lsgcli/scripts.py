"""Scripts: which characters are written without spaces between words, and which marks close.

Ranges are those of Unicode's blocks. What is not of these scripts is written with spaces, or
stands by itself.
"""

from __future__ import annotations

import re
import unicodedata

from lsgcli.languages import NLLB

# Han, Bopomofo, Kana; Thai, Lao, Myanmar, Khmer: letters, marks and signs, no digits.
LETTERS = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
    "\u0e01-\u0e3a\u0e40-\u0e4f\u0e81-\u0ecf\u0edc-\u0edf"
    "\u1000-\u103f\u104a-\u108f\u109a-\u109f\u1780-\u17df"
)
# The marks that are written with them, as wide as a character.
MARKS = "\u3001-\u3003\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
WIDE = re.compile(f"[{LETTERS}{MARKS}]")
UNSPACED = re.compile(f"[{LETTERS}]")

# Marks that end sentences, whatever follows: those of ASCII may also stand in an abbreviation.
FULL_STOPS = "。！？｡।॥؟۔።՜։។៕၊။༎"
CLAUSE_ENDS = ",;:，、；：､،؛၊–—"
OPENING = "([{<«‹“‘„‚（［｛〈《「『【〔〖｢¿¡"
CLOSING = '.,;:!?…)\\]}»›”“"。，、；：！？．）］｝〉》」』】〕〗｡､｣،؛؟۔।॥።՜։៖។៕၊။'

_BLOCKS = {  # scripts of ISO 15924 as the names of their letters begin
    "Arab": "ARABIC", "Beng": "BENGALI", "Cyrl": "CYRILLIC", "Deva": "DEVANAGARI",
    "Grek": "GREEK", "Hang": "HANGUL", "Hebr": "HEBREW", "Taml": "TAMIL", "Telu": "TELUGU",
    "Armn": "ARMENIAN", "Ethi": "ETHIOPIC", "Geor": "GEORGIAN",
}  # fmt: skip


def unspaced(character: str) -> bool:
    """Whether a character is a letter of a script without spaces.

    >>> [unspaced(c) for c in "車คa한。3"]
    [True, True, False, False, False, False]
    """
    return UNSPACED.match(character) is not None


def extends(character: str) -> bool:
    """Whether a character belongs to the one before it: a combining mark, a small kana, a joiner.

    >>> [extends(c) for c in ("\u0e31", "\u0301", "ー", "ゃ", "ya")]
    [True, True, True, True, False]
    """
    return unicodedata.category(character[0]) in ("Mn", "Mc", "Me", "Cf") or (
        character in "ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々"
    )


def own_script(language: str, word: str) -> bool:
    """Whether the letters of a word are those that a language is written with, if it is known.

    >>> own_script("hi", "नमस्ते"), own_script("en", "नमस्ते"), own_script("hi", "🙂")
    (True, False, False)
    """
    begins = _BLOCKS.get(NLLB.get(language, "").partition("_")[2])
    letters = [c for c in word if c.isalpha()]
    if begins is None or not letters:
        return False
    return all(unicodedata.name(c, "").startswith(begins) for c in letters)
