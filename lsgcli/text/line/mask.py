"""Placeholders for the items of a sentence, and the check that the translation has every item.

Opaque items are shown as placeholders, if the manifest names some that the model copies. Numbers
are shown as they are at first, since "1 file" and "5 files" differ. If one of them is lost, they
are hidden too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lsgcli.scripts import CLAUSE_ENDS, FULL_STOPS
from lsgcli.text.items import Item, numbers
from lsgcli.text.line.elements import Element
from lsgcli.text.line.sentences import Part, Sentence
from lsgcli.text.spans import Copy

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Sequence

JOINT = re.compile(r"\s*[-+/=:|&→]?\s*")  # between items that are hidden together
CLAUSE = (*CLAUSE_ENDS, *FULL_STOPS, ".", ")")
FRAGMENT = re.compile(r"(\W*)(\w(?:.*\w)?[.,;:!?…]?)(\W*)", re.DOTALL)


@dataclass(frozen=True)
class Form:
    """A sentence with placeholders."""

    words: tuple[str, ...]  # what the model is shown
    hidden: dict[str, tuple[Item, ...]]  # neighbouring items by their placeholder
    unused: tuple[str, ...]  # placeholders
    shown: Counter[str]  # numbers
    taboo: tuple[str, ...]  # hidden text that must not be written
    free: bool  # whether a number may be written for a word: there are no items

    def accepts(self, written: str) -> bool:
        """Return whether each placeholder and number occurs as often as shown, and no other."""
        if not written.strip():
            return False
        if any(written.count(placeholder) != 1 for placeholder in self.hidden):
            return False
        if any(placeholder in written for placeholder in self.unused):
            return False
        if self.free:
            return True
        rest = self._placeholders().sub(" ", written) if self.hidden else written
        return numbers(rest) == self.shown and not any(text in rest for text in self.taboo)

    def restore(self, written: str, texts: dict[str, str]) -> str:
        """Replace the placeholders by ``texts``."""
        return self._placeholders().sub(lambda match: texts[match[0]], written)

    def _placeholders(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.hidden)) or r"(?!)")


def form(
    sentence: Sentence,
    placeholders: Sequence[str],
    *,
    hide_numbers: bool,
    units: Callable[[str], Iterable[str]] = str.split,
) -> Form | None:
    """Hide items behind placeholders; None if there are not enough of them.

    ``units`` divides a text into what the model is shown.
    """
    text = sentence.text
    runs = _runs(sentence, hide_numbers=hide_numbers)
    prose, end = "", 0
    for run in runs:
        prose, end = f"{prose}{text[end : run[0].start]} ", run[-1].end
    prose += text[end:]
    free = [each for each in placeholders if each not in prose]
    if len(runs) > len(free):
        return None
    hidden = {placeholder: tuple(run) for placeholder, run in zip(free, runs, strict=False)}
    shown, end = "", 0
    for placeholder, hides in hidden.items():
        shown, end = shown + text[end : hides[0].start] + placeholder, hides[-1].end
    shown += text[end:]
    covered = (text[i.start : i.end] for run in runs for i in run if not isinstance(i, Element))
    taboo = tuple(t for t in covered if len(t) > 1 and not t.isdigit())
    return Form(
        words=tuple(units(shown)),
        hidden=hidden,
        unused=tuple(free[len(runs) :]),
        shown=numbers(prose),
        taboo=taboo,
        free=not sentence.items and not sentence.fragment,
    )


def _runs(sentence: Sentence, *, hide_numbers: bool) -> list[list[Item]]:
    """Group the items to hide; neighbours share a placeholder."""
    runs: list[list[Item]] = []
    for item in sentence.items:
        if item.shown and not hide_numbers:
            continue
        if runs and JOINT.fullmatch(sentence.text, runs[-1][-1].end, item.start):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def parts(sentence: Sentence, most: int) -> list[Part]:
    """Cut a sentence into parts with at most ``most`` hidden items, after commas if possible."""
    runs = _runs(sentence, hide_numbers=True)
    cuts, start = [0], 0
    for first in range(most, len(runs), most):
        a, b = runs[first - 1][-1].end, runs[first][0].start
        cuts.append(max(_best_cut(sentence.text, a, b), start))
        start = cuts[-1]
    cuts.append(len(sentence.text))
    return [p for a, b in pairwise(cuts) if a < b for p in sentence.part(a, b)]


def _best_cut(text: str, start: int, end: int) -> int:
    """Return where to cut between two items: after a punctuation mark, or else at whitespace."""
    for match in re.finditer(r"\s", text[start:end]):
        if text[start : start + match.start()].endswith(CLAUSE):
            return start + match.start()
    space = text.find(" ", start, end)
    return space if space >= 0 else end


def pieces(sentence: Sentence) -> Iterator[Copy | Sentence | Element]:
    """Return the text between the items, to be translated by itself, and the items as copies.

    An element stays as it is.
    """
    text, end = sentence.text, 0
    before = sentence.before
    for item in (*sentence.items, Item(len(text), len(text))):
        yield from _fragment(before + text[end : item.start], sentence.language)
        before, end = "", item.end
        if isinstance(item, Element):
            yield item
        elif item.start < item.end:
            yield Copy(text[item.start : item.end])


def _fragment(text: str, language: str) -> Iterator[Copy | Sentence]:
    """Return the text between items: its words, and the rest around them as copies."""
    match = FRAGMENT.fullmatch(text)
    if not match or not any(map(str.isalpha, match[2])):
        if text:
            yield Copy(text)
        return
    opening = match[1].rstrip()
    if opening:
        yield Copy(opening)
    yield Sentence(match[2], match[1][len(opening) :], (), language, fragment=True)
    if match[3]:
        yield Copy(match[3])
