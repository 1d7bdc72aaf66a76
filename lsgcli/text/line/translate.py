"""Complete sentences: translated whole, with every protected item kept.

These are tried in order, until the translation has every item exactly as often: the sentence with
its numbers shown and other items as placeholders; with the numbers as placeholders too; the words
between the items by themselves; a copy. Each sentence is a generator that yields requests for a
model; ``core.pool`` runs many of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from lsgcli.core.steps import Reason
from lsgcli.text.line.capitals import in_capitals, in_lower_case
from lsgcli.text.line.elements import Element
from lsgcli.text.line.mask import Form, form, parts, pieces
from lsgcli.text.line.sentences import Sentence
from lsgcli.text.spans import Copy

if TYPE_CHECKING:
    from lsgcli.core.backend import TextBackend
    from lsgcli.core.steps import Scored
    from lsgcli.policy.base import Policy
    from lsgcli.text.items import Item
    from lsgcli.text.line.sentences import Cutter, Part
    from lsgcli.text.memory import Memory, Piece
    from lsgcli.text.spans import Guard

T = TypeVar("T")


def by_space(text: str) -> tuple[str, ...]:
    """Divide a text at whitespace."""
    return tuple(text.split())


@dataclass(frozen=True)
class Route:
    """How one language is translated.

    ``placeholders`` are words that the model copies. ``capitals``: it can read upper case.
    A sentence whose translation has a mean log-probability below the ``floor`` is left as it is.
    Texts in the ``memory`` need no model. ``units`` divides a text into source units.
    """

    policy: Policy
    backend: TextBackend
    placeholders: Sequence[str] = ()
    capitals: bool = True
    floor: float | None = None
    memory: Memory | None = None
    units: Callable[[str], tuple[str, ...]] = by_space
    source: str = ""  # language

    def turns(self, words: Sequence[str]) -> bool:
        """Return whether a sentence is shown in lower case, and its translation changed back."""
        return not self.capitals and in_capitals(words)


@dataclass(frozen=True)
class Ask:
    """A request to the model of a language: the words that it is shown."""

    language: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Translated:
    """A sentence and its translation by a model, with its mean log-probability."""

    sentence: Sentence
    written: Scored
    form: Form | None = None
    texts: dict[str, str] = field(default_factory=dict)  # by placeholder
    upper: bool = False
    guard: Guard | None = None

    def text(self, written: str) -> str:
        """Return a word of the translation as it is to be written."""
        written = written.upper() if self.upper else written
        if self.form and self.texts:
            written = self.form.restore(written, self.texts)
        return self.guard(written) if self.guard else written


@dataclass(frozen=True)
class Given:
    """A sentence and a text for it that is no model's.

    ``logp`` is the mean log-probability of the model's translation, if there was one.
    """

    sentence: Sentence
    text: str
    reason: Reason
    logp: float | None = None


Output: TypeAlias = Copy | Translated | Given
Steps: TypeAlias = Generator[list[Ask], list["Scored"], T]


class Translator:
    """Translates complete sentences; ``routes`` and ``cut`` have one entry for each language."""

    def __init__(self, routes: Mapping[str, Route], cut: Mapping[str, Cutter]) -> None:
        """Use these routes, and these cutters for the prose inside markup."""
        self._routes = routes
        self._cut = cut

    def __call__(self, part: Part) -> Steps[list[Output]]:
        """Translate a sentence that is no part of another one."""
        if isinstance(part, Copy):
            return [part]
        memory = self._routes[part.language].memory
        pieces = memory.split(part.text) if memory else []
        if not pieces or (part.units and len(pieces) > 1):
            return (yield from self._if_likely(part))
        outputs = yield from self._known(part, pieces)
        return self._guarded(part, part.guard, outputs) if part.guard else outputs

    def _known(self, part: Sentence, pieces: list[Piece]) -> Steps[list[Output]]:
        """Translate what is not in the memory, and take the rest from it."""
        found: list[Steps[list[Output]]] = []
        start = 0
        for piece in pieces:
            end = start + len(piece.text)
            if piece.translation is None:
                found += map(self._if_likely, part.part(start, end))
            elif piece.translation == piece.text:
                found.append(_done(Copy(piece.text)))
            else:
                text, translation = piece.text.lstrip(), piece.translation.lstrip()
                before = piece.text[: -len(text)] if start else part.before
                known = Sentence(text, before, language=part.language)
                found.append(_done(Given(known, translation, Reason.KNOWN)))
            start = end
        return _flat((yield from _together(found)))

    def _if_likely(self, part: Part) -> Steps[list[Output]]:
        """Translate a sentence, or leave it if the translation is below the floor."""
        outputs = yield from self._part(part)
        if isinstance(part, Copy) or (floor := self._routes[part.language].floor) is None:
            return outputs
        written = [output.written for output in outputs if isinstance(output, Translated)]
        lengths = [len(each.tokens) + 1 for each in written]
        total = sum(each.logp * length for each, length in zip(written, lengths, strict=True))
        if not written or total >= floor * sum(lengths):
            return outputs
        text = part.guard(part.text) if part.guard else part.text
        return [Given(part, text, Reason.LEFT, total / sum(lengths))]

    def _part(self, part: Part) -> Steps[list[Output]]:
        if isinstance(part, Copy):
            return [part]
        outputs = yield from self._sentence(part)
        return self._guarded(part, part.guard, outputs) if part.guard else outputs

    def _guarded(self, part: Sentence, guard: Guard, outputs: list[Output]) -> list[Output]:
        """Return a translation that its format can hold."""
        text = "".join(map(self._rendered, outputs))
        if any(sign in text for sign in guard.forbidden):
            return [Copy(guard(part.before + part.text))]
        return [
            replace(output, guard=guard)
            if isinstance(output, Translated)
            else replace(output, text=guard(output.text))
            for output in outputs
        ]

    def _sentence(self, part: Sentence) -> Steps[list[Output]]:
        placeholders = self._routes[part.language].placeholders
        if part.units:
            (written,) = yield [Ask(part.language, part.units)]
            return [Translated(part, written)]
        for hide_numbers in (False, True):
            if hide_numbers and not any(item.shown for item in part.items):
                break
            shown = form(
                part,
                placeholders,
                hide_numbers=hide_numbers,
                units=self._routes[part.language].units,
            )
            if shown is None:
                break
            if (done := (yield from self._try(part, shown))) is not None:
                return [done]
        if placeholders and len(smaller := parts(part, len(placeholders))) > 1:
            return _flat((yield from _together(map(self._part, smaller))))
        if part.items:
            return (yield from self._pieces(part))
        return [Copy(part.before + part.text)]

    def _try(self, sentence: Sentence, shown: Form) -> Steps[Translated | None]:
        route = self._routes[sentence.language]
        upper = route.turns(shown.words)
        words = in_lower_case(shown.words) if upper else shown.words
        (written,) = yield [Ask(sentence.language, words)]
        if not shown.accepts(route.backend.lexicon.text(written.tokens)):
            return None
        texts: dict[str, str] = {}
        for placeholder, run in shown.hidden.items():
            texts[placeholder] = yield from self._hidden(sentence, run)
        return Translated(sentence, written, shown, texts, upper)

    def _hidden(self, sentence: Sentence, run: Sequence[Item]) -> Steps[str]:
        """Return the text of neighbouring items, with the prose in them translated."""
        found: list[Part] = []
        end = run[0].start
        for item in run:
            found.append(Copy(sentence.text[end : item.start]))
            if isinstance(item, Element):
                found += self._held(sentence, item)
            else:
                found.append(Copy(sentence.text[item.start : item.end]))
            end = item.end
        outputs = _flat((yield from _together(map(self._part, found))))
        return "".join(map(self._rendered, outputs))

    def _rendered(self, output: Output) -> str:
        if isinstance(output, Copy):
            return output.text
        if isinstance(output, Given):
            return output.sentence.before + output.text
        text = self._routes[output.sentence.language].backend.lexicon.text(output.written.tokens)
        return output.sentence.before + " ".join(output.text(text).split())

    def _pieces(self, sentence: Sentence) -> Steps[list[Output]]:
        """Translate the text between the items, and inside elements."""
        found: list[Part] = []
        for piece in pieces(sentence):
            if isinstance(piece, Element):
                found += self._held(sentence, piece)
            else:
                found.append(piece)
        return _flat((yield from _together(map(self._part, found))))

    def _held(self, sentence: Sentence, element: Element) -> list[Part]:
        text = sentence.text
        held = self._cut[sentence.language](text[element.inner : element.close])
        opening, closing = text[element.start : element.inner], text[element.close : element.end]
        return [Copy(opening), *held, Copy(closing)]


def _done(output: Output) -> Steps[list[Output]]:
    """Ask nothing."""
    yield from ()
    return [output]


def _flat(outputs: Iterable[list[Output]]) -> list[Output]:
    return [output for each in outputs for output in each]


def _advance(
    n: int,
    steps: dict[int, Steps[T]],
    reply: list[Scored] | None,
    asks: dict[int, list[Ask]],
    done: dict[int, T],
) -> None:
    """Send a reply; store the next request, or else the result."""
    try:
        asks[n] = steps[n].send(reply)  # type: ignore[arg-type]
    except StopIteration as end:
        done[n] = end.value
        del steps[n]


def _together(steps: Iterable[Steps[T]]) -> Steps[list[T]]:
    """Run all in lock step, with their requests in one batch."""
    running = dict(enumerate(steps))
    replies: dict[int, list[Scored] | None] = dict.fromkeys(running)
    done: dict[int, T] = {}
    while running:
        asks: dict[int, list[Ask]] = {}
        for n in list(running):
            _advance(n, running, replies[n], asks, done)
        if asks:
            answers = iter((yield [ask for each in asks.values() for ask in each]))
            replies = {n: [next(answers) for _ in each] for n, each in asks.items()}
    return [done[n] for n in sorted(done)]
