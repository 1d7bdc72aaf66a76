"""Which words of a whole recording's hypothesis belong to which of its reference segments.

Who evaluates a stream has references of segments, and one hypothesis. An alignment cuts that into
as many parts, in order and without gaps. Two are in use, and give different scores:

========  ====================================================  ==================
``soft``  SoftSegmenter: words are matched by their characters  OmniSTEval
``mwer``  least word errors over all ways to cut                mwerSegmenter; simulstream
========  ====================================================  ==================

The latter is the library mweralign, which is licensed under the GPL and not a dependency.
"""

from __future__ import annotations

import logging
import os
import unicodedata
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, get_args

from lsgcli.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Scores: TypeAlias = NDArray[np.float64]

Resegment = Literal["soft", "mwer"]
RESEGMENT: tuple[Resegment, ...] = get_args(Resegment)
PUNCTUATION = frozenset(".!?,;:-()。！？，；：—（）ー")
_MATCH, _SKIP_REFERENCE, _SKIP_HYPOTHESIS = range(3)


def cuts(
    method: Resegment,
    hypothesis: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    characters: bool = False,
) -> list[int]:
    """Cut a hypothesis into the parts that belong to reference segments.

    Args:
        method: the alignment; see the module.
        hypothesis: its units, words or characters.
        references: the units of each segment, in order.
        characters: the units are characters.

    Returns:
        For each segment, where its part ends: ``hypothesis[end of the one before:end]``.

    Raises:
        InputError: if the references have no words but the hypothesis has.
        UsageError: if mweralign is needed and not installed.

    """
    if not hypothesis:
        return [0] * len(references)
    if not any(references):
        raise InputError("no words in the references, so none of the hypothesis can be aligned")
    return _METHODS[method](hypothesis, references, characters)


def signature(method: Resegment) -> str:
    """The alignment as a signature names it, with its version where it is a library's."""
    if method == "soft":
        return "soft"
    from importlib.metadata import version

    return f"mweralign-{version('mweralign')}"


def _soft(
    hypothesis: Sequence[str], references: Sequence[Sequence[str]], characters: bool
) -> list[int]:
    """Align as the SoftSegmenter of OmniSTEval does.

    The alignment of the greatest total similarity, gaps being free. Among equals, counted from the
    end, a match is preferred to a word left out of the reference, and that to one of the
    hypothesis. A run of words that matched nothing is split once: those up to the first that is
    more similar to the reference's next word than to its last belong to the last. (OmniSTEval
    drops a punctuation mark at the very beginning that matches nothing; here it is kept.)

    Source: Polák et al. 2025, Better Late Than Never, https://arxiv.org/abs/2509.17349.
    """
    target = [_normal(unit) for segment in references for unit in segment]
    found = [_normal(unit) for unit in hypothesis]
    owner = [number for number, segment in enumerate(references) for _ in segment]
    similar = _Similarity(target, found, characters)
    lengths = [0] * len(references)
    before, ahead = -1, False
    for j, (read, matched) in enumerate(_path(similar, len(target), len(found))):
        if read != before:
            before, ahead = read, False
        if not (matched or ahead) and read < len(target):
            ahead = read == 0 or similar(read, j) > similar(read - 1, j)
        lengths[owner[read if matched or ahead else read - 1]] += 1
    return list(accumulate(lengths))


class _Similarity:
    """Of words of the reference and the hypothesis: the share of characters they have in common.

    A punctuation mark and a word are not to be matched; characters are equal or not.
    """

    def __init__(self, target: Sequence[str], found: Sequence[str], characters: bool) -> None:
        import numpy as np

        self._rows, rows = _numbered(target)
        self._columns, columns = _numbered(found)
        if characters:
            table = np.array([[float(a == b) for b in columns] for a in rows])
        else:
            table = _jaccard(rows, columns)
        marks = [np.array([each in PUNCTUATION for each in words]) for words in (rows, columns)]
        table[marks[0][:, None] != marks[1][None, :]] = -np.inf
        self._table: Scores = table

    def __call__(self, i: int, j: int) -> float:
        """The similarity of word ``i`` of the reference and word ``j`` of the hypothesis."""
        return float(self._table[self._rows[i], self._columns[j]])

    def row(self, i: int) -> Scores:
        """The similarities of word ``i`` of the reference and every word of the hypothesis."""
        row: Scores = self._table[self._rows[i], self._columns]
        return row


def _jaccard(rows: Sequence[str], columns: Sequence[str]) -> Scores:
    """What two words have in common of the characters of either, ``[rows, columns]``."""
    import numpy as np

    numbers = {each: n for n, each in enumerate(sorted(set("".join((*rows, *columns)))))}

    def sets(words: Sequence[str]) -> Scores:
        has = np.zeros((len(words), len(numbers)))
        for row, word in zip(has, words, strict=True):
            row[[numbers[each] for each in word]] = 1
        return has

    a, b = sets(rows), sets(columns)
    common = a @ b.T
    union = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - common
    shares: Scores = common / union
    return shares


def _numbered(words: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Number different words: the number of each word, and the words by their numbers."""
    import numpy as np

    numbers: dict[str, int] = {}
    of_each = [numbers.setdefault(word, len(numbers)) for word in words]
    return np.array(of_each, dtype=np.int64), list(numbers)


def _path(similar: _Similarity, targets: int, words: int) -> list[tuple[int, bool]]:
    """Align by dynamic programming; a byte of memory for every pair of words.

    Returns:
        For each word of the hypothesis, how many of the reference come before it, and whether it
        is matched with the next of them.

    """
    import numpy as np

    steps = np.empty((targets + 1, words + 1), dtype=np.uint8)
    steps[0], steps[:, 0] = _SKIP_HYPOTHESIS, _SKIP_REFERENCE
    above = np.zeros(words + 1)
    for i in range(targets):
        match = above[:-1] + similar.row(i)
        row = np.zeros(words + 1)
        row[1:] = np.maximum.accumulate(np.maximum(match, above[1:]))
        step = np.where(above[1:] >= row[:-1], _SKIP_REFERENCE, _SKIP_HYPOTHESIS)
        step[(match >= above[1:]) & (match >= row[:-1])] = _MATCH
        steps[i + 1, 1:] = step
        above = row
    path: list[tuple[int, bool]] = []
    i, j = targets, words
    while j:
        step = steps[i, j]
        i -= step != _SKIP_HYPOTHESIS
        if step != _SKIP_REFERENCE:
            j -= 1
            path.append((i, step == _MATCH))
    return path[::-1]


def _normal(unit: str) -> str:
    return unicodedata.normalize("NFKC", unit).lower()


def _mwer(
    hypothesis: Sequence[str], references: Sequence[Sequence[str]], characters: bool
) -> list[int]:
    """Align as mwerSegmenter and simulstream do, by the library mweralign.

    Source: Matusov et al. 2005, Evaluating Machine Translation Output with Automatic Sentence
    Segmentation, https://aclanthology.org/2005.iwslt-1.19.
    """
    kept = [" ".join(segment) for segment in references if segment]
    align = _mweralign()
    with _silent():
        found = align("\n".join(kept), " ".join(hypothesis)).split("\n")
    lengths = [len(line.split()) for line in found]
    if len(found) != len(kept) or sum(lengths) != len(hypothesis):
        raise InputError(
            f"mweralign made {len(found)} segments of {sum(lengths)} words from {len(kept)} of "
            f"{len(hypothesis)}; use --resegment soft"
        )
    following = iter(lengths)
    return list(accumulate(next(following) if segment else 0 for segment in references))


def _mweralign() -> Callable[[str, str], str]:
    """Import the library, and undo what it does to everybody's logging."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        from mweralign import align_texts
    except ImportError as error:
        raise UsageError(
            "--resegment mwer needs mweralign (GPL): pip install 'lsg[mwer]'; or use soft"
        ) from error
    finally:
        root.handlers[:], root.level = before
    found: Callable[[str, str], str] = align_texts
    return found


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what a library in C++ writes to stderr."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


_METHODS: dict[Resegment, Callable[[Sequence[str], Sequence[Sequence[str]], bool], list[int]]] = {
    "soft": _soft,
    "mwer": _mwer,
}
