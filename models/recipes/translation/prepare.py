"""Training text to numbers, once: the vocabulary, and every pair as ids."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import vocabulary
from corpus import WRITTEN, Pair, key, keys, kind, masked, phrases, read, sound
from variety import varied
from written import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from vocabulary import Vocabulary

MASKED = 0.75  # of the pairs with protected words, shown with placeholders


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
    files: Iterable[Path],
    held_out: Iterable[Path],
    table: Path | None = None,
    own: Path | None = None,
) -> tuple[list[Pair], list[int], dict[str, int]]:
    """Read what is trained on: pairs, their kinds, and how many were left out and why.

    Those of the ``table`` of phrases come last, behind them what is ``written`` in a folder.
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
    for pair in _own(table, own, sorted({pair.languages for pair in kept})):
        if {key(text) for text in pair.texts} & reserved:
            out["held out"] += 1
        else:
            kept.append(pair)
            kinds.append(kind(pair, extra=False))
    return kept, kinds, out


def _own(table: Path | None, own: Path | None, languages: list[tuple[str, str]]) -> Iterator[Pair]:
    if table:
        yield from phrases(table, languages)
    if own:
        for texts in written(own, random.Random(1)):
            yield Pair(WRITTEN, ("en", "de"), texts)


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
        shown = varied(pair.texts, rng)
        texts += (masked(shown, words.spells) if rng.random() < MASKED else None) or shown
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


def prepare(
    files: list[Path],
    held_out: list[Path],
    work: Path,
    *,
    size: int,
    seed: int,
    pieces: Path | None = None,
    table: Path | None = None,
    own: Path | None = None,
) -> None:
    """Write ``spm.model`` and ``pairs.npz`` into ``work``, if they are not there.

    ``pieces`` is a vocabulary to take instead of training one, ``table`` one of phrases, ``own``
    the folder of written.py.
    """
    model, stored = work / "spm.model", work / "pairs.npz"
    if stored.exists():
        return
    kept, kinds, out = pairs(files, held_out, table, own)
    print(json.dumps({"pairs": len(kept), "left out": out}), flush=True)
    if pieces:
        model.write_bytes(pieces.read_bytes())
    elif not model.exists():
        vocabulary.train(texts_by_language(kept), size, model, seed=seed)
    words = vocabulary.Vocabulary(model)
    encoded = encode(kept, kinds, words, seed)
    encoded.save(work / "pairs.new.npz")
    (work / "pairs.new.npz").replace(stored)
