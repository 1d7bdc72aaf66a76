"""Training text to numbers, once: the vocabulary, and every pair as ids."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import vocabulary
from corpus import Pair, key, keys, kind, masked, phrases, read, sound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray
    from vocabulary import Vocabulary

MASKED = 0.75  # of the pairs with protected words, shown with placeholders
STRANGE = 0.015  # of the pairs get something that is copied
CAPITALS = 0.02  # of the plain pairs are in capitals, for people who shout
SMALL = 0.05  # and so many in small letters, for people who do not care
PROSE = " .,!?'’-¿¡"  # what such pairs are made of, besides letters
RANGES = (
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6FF),
    (0x2190, 0x21FF),
    (0x4E00, 0x9FA5),
    (0x3B1, 0x3C9),
)
SIGNS = ";{}()[]<>=+*/&|^~#@$"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"


@dataclass(frozen=True)
class Encoded:
    """All pairs. Side s of pair i is ``ids[starts[2i + s] : starts[2i + s + 1]]``."""

    languages: list[str]
    ids: NDArray[np.uint16]
    starts: NDArray[np.int64]  # [2 pairs + 1]
    sides: NDArray[np.uint8]  # [pairs, 2], places in ``languages``
    kinds: NDArray[np.uint8]  # [pairs], places in ``Weights.by_kind()``

    def side(self, pair: int, side: int) -> NDArray[np.uint16]:
        """The ids of one text."""
        at = 2 * pair + side
        return self.ids[self.starts[at] : self.starts[at + 1]]

    def save(self, path: Path) -> None:
        """Write everything to a file."""
        np.savez(path, **{**asdict(self), "languages": np.array(self.languages)})

    @classmethod
    def load(cls, path: Path) -> Encoded:
        """Read it again."""
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        arrays["languages"] = arrays["languages"].tolist()
        return cls(**arrays)


def pairs(
    files: Iterable[Path], held_out: Iterable[Path], table: Path | None = None
) -> tuple[list[Pair], list[int], dict[str, int]]:
    """Read what is trained on: pairs, their kinds, and how many were left out and why.

    Those of the ``table`` of phrases come last.
    """
    kept: list[Pair] = []
    kinds: list[int] = []
    out = {"unsound": 0, "held out": 0, "again": 0}
    reserved, seen = keys(held_out), set[tuple[str, ...]]()
    for path in files:
        for pair in read(path):
            if not sound(pair):
                out["unsound"] += 1
            elif (first := key(pair.texts[0])) in reserved or key(pair.texts[1]) in reserved:
                out["held out"] += 1
            elif (same := (*pair.languages, first, key(pair.texts[1]))) in seen:
                out["again"] += 1
            else:
                seen.add(same)
                kept.append(pair)
                kinds.append(kind(pair, extra="extra" in path.name))
    if table:
        for pair in phrases(table, sorted({pair.languages for pair in kept})):
            if not {key(text) for text in pair.texts} & reserved:
                kept.append(pair)
                kinds.append(kind(pair, extra=False))
    return kept, kinds, out


def texts_by_language(kept: list[Pair]) -> dict[str, list[str]]:
    """The texts of every language, each once."""
    texts: dict[str, dict[str, None]] = {}
    for pair in kept:
        for language, text in zip(pair.languages, pair.texts, strict=True):
            texts.setdefault(language, {})[text] = None
    return {language: list(of) for language, of in texts.items()}


def encode(kept: list[Pair], kinds: list[int], words: Vocabulary, seed: int) -> Encoded:
    """All pairs as ids, most of those with protected words with placeholders."""
    rng = random.Random(seed)
    languages = sorted({language for pair in kept for language in pair.languages})
    place = {language: i for i, language in enumerate(languages)}
    texts: list[str] = []
    for pair in kept:
        hidden = masked(pair.texts) if rng.random() < MASKED else None
        texts += _with_stranger(_in_case(hidden or pair.texts, rng), rng)
    encoded = words.encode(texts)
    starts = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(ids) for ids in encoded], out=starts[1:])
    return Encoded(
        languages,
        np.fromiter((i for ids in encoded for i in ids), np.uint16, int(starts[-1])),
        starts,
        np.array([[place[of] for of in pair.languages] for pair in kept], np.uint8),
        np.array(kinds, np.uint8),
    )


def _in_case(texts: tuple[str, str], rng: random.Random) -> tuple[str, str]:
    """Now and then both texts in capitals or in small letters, if they are plain prose."""
    if (drawn := rng.random()) >= CAPITALS + SMALL:
        return texts
    if not all(c.isalpha() or c in PROSE for text in texts for c in text):
        return texts
    first, second = (text.upper() if drawn < CAPITALS else text.lower() for text in texts)
    return first, second


def _with_stranger(texts: tuple[str, str], rng: random.Random) -> tuple[str, str]:
    """Now and then the same strange word before or behind both texts: what is to be copied."""
    if rng.random() >= STRANGE:
        return texts
    kind = rng.random()
    if kind < 0.6:  # emoji, arrows, other scripts
        low, high = rng.choice(RANGES)
        word = "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 3)))
    elif kind < 0.8:  # a name of no language
        word = "".join(rng.choices(LETTERS, k=rng.randint(3, 9)))
    else:  # what looks like code
        parts = (rng.choices(SIGNS, k=1) + rng.choices(LETTERS, k=2) for _ in range(3))
        word = "".join(c for part in parts for c in part)
    order = "{word} {text}" if rng.random() < 0.3 else "{text} {word}"
    first, second = (order.format(word=word, text=text) for text in texts)
    return first, second


def prepare(
    files: list[Path],
    held_out: list[Path],
    work: Path,
    *,
    size: int,
    seed: int,
    pieces: Path | None = None,
    table: Path | None = None,
) -> None:
    """Write ``spm.model`` and ``pairs.npz`` into ``work``, if they are not there.

    ``pieces`` is a vocabulary to take instead of training one, ``table`` one of phrases.
    """
    model, stored = work / "spm.model", work / "pairs.npz"
    if stored.exists():
        return
    kept, kinds, out = pairs(files, held_out, table)
    print(json.dumps({"pairs": len(kept), "left out": out}), flush=True)
    if pieces:
        model.write_bytes(pieces.read_bytes())
    elif not model.exists():
        vocabulary.train(texts_by_language(kept), size, model, seed=seed)
    words = vocabulary.Vocabulary(model)
    encoded = encode(kept, kinds, words, seed)
    encoded.save(work / "pairs.new.npz")
    (work / "pairs.new.npz").replace(stored)
