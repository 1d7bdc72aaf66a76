"""Which words of the pairs belong together: what a prefix of a target needs of its source.

The aligner is eflomal (R. Östling and J. Tiedemann, "Efficient Word Alignment with Markov Chain
Monte Carlo", 2016), under the GPL and hence not in ``lsg[train]``: ``pip install eflomal``. Links
are those that it finds in both directions.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from prepare import Encoded
    from vocabulary import Vocabulary

Links = set[tuple[int, int]]


@dataclass(frozen=True)
class Aligned:
    """Side s of pair i has ``needs[starts[2i + s] : starts[2i + s + 1]]``, a number a word.

    The number is how many words of the other side all words up to this one are linked to, counted
    from its beginning.
    """

    needs: NDArray[np.uint8]
    starts: NDArray[np.int64]  # [2 pairs + 1]

    def side(self, pair: int, side: int) -> NDArray[np.uint8]:
        """What the words of one text need."""
        at = 2 * pair + side
        return self.needs[self.starts[at] : self.starts[at + 1]]

    @classmethod
    def load(cls, path: Path) -> Aligned:
        """Read what ``align`` wrote."""
        with np.load(path) as stored:
            return cls(**{name: stored[name] for name in stored.files})


def align(encoded: Encoded, words: Vocabulary, path: Path) -> None:
    """Align every pair of languages on its own, and write the file. Raises SystemExit."""
    sides = [encoded.sides[:, s] for s in (0, 1)]
    needs: list[NDArray[np.uint8]] = [np.zeros(0, np.uint8)] * (2 * len(encoded.kinds))
    for languages in np.unique(encoded.sides, axis=0):
        chosen = np.flatnonzero((sides[0] == languages[0]) & (sides[1] == languages[1]))
        texts = tuple([_words(encoded.side(int(i), s), words) for i in chosen] for s in (0, 1))
        for pair, first, second, links in zip(chosen, *texts, _links(*texts), strict=True):
            needs[2 * pair] = _needs(len(first), {(j, i) for i, j in links})
            needs[2 * pair + 1] = _needs(len(second), links)
    starts = np.zeros(len(needs) + 1, np.int64)
    np.cumsum([len(each) for each in needs], out=starts[1:])
    new = path.with_suffix(".new.npz")
    np.savez(new, **asdict(Aligned(np.concatenate(needs), starts)))
    new.replace(path)


def _words(ids: NDArray[np.uint16], words: Vocabulary) -> list[str]:
    """A text's words as the batches count them: each begins with a piece that begins one."""
    text = "".join(words.names[i] for i in ids)
    return text.replace(" ", "_").split("▁")[1:]


def _links(first: list[list[str]], second: list[list[str]]) -> Iterator[Links]:
    try:
        from eflomal import Aligner
    except ImportError as error:
        raise SystemExit("alignment needs eflomal: pip install eflomal (GPL)") from error
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, name)) for name in ("forward", "reverse")]
        lines = (
            [" ".join(word or "_" for word in text) for text in side] for side in (first, second)
        )
        Aligner(n_samplers=1).align(*lines, *files)
        with Path(files[0]).open() as forward, Path(files[1]).open() as reverse:
            for both in zip(forward, reverse, strict=True):
                there, back = (set(line.split()) for line in both)
                yield {(int(i), int(j)) for i, j in (link.split("-") for link in there & back)}


def _needs(size: int, links: Links) -> NDArray[np.uint8]:
    """For each of ``size`` words the reach of the links (other side, word) up to it.

    >>> _needs(3, {(0, 0), (3, 1), (1, 2)}).tolist()
    [1, 4, 4]
    """
    reach = np.zeros(size, np.int64)
    for other, word in links:
        reach[word] = max(reach[word], other + 1)
    return np.minimum(np.maximum.accumulate(reach), 255).astype(np.uint8)
