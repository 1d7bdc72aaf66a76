"""The READ/WRITE loop over one segment: the same for a live stream and for evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from lsgcli.core.decoder import Decoder, Tokens, split_words
from lsgcli.core.steps import (
    Action,
    Arrival,
    Belief,
    Commit,
    Decision,
    Event,
    Generate,
    Hypothesis,
    Query,
    Reason,
    Receive,
    SourceUnit,
    Steps,
    Units,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.core.backend import Lexicon
    from lsgcli.policy.base import Policy


def translate(
    policy: Policy,
    lexicon: Lexicon,
    *,
    preview: bool = False,
    written: Sequence[Tokens] = (),
    floor: float | None = None,
) -> Steps[None]:
    """Read a segment's source units, commit its target words.

    ``written``: words that have been committed before, of which the source is still to be read.
    All the units that have come are read before a decision is taken: that costs fewer calls and
    is never later. With ``preview`` the hypothesis is reported before the loop waits for source.
    With a ``floor``, a mean log-probability, it is
    reported at the end whether the model doubts what it has written.
    """
    decoder = Decoder(lexicon, scored=floor is not None)
    for word in written:
        decoder.commit(word)
    decide = policy.start()
    while True:
        yield from _receive(decoder, wait=False)
        decision = yield from decide(decoder)
        words = yield from _words(decoder, decision)
        if not words and not decoder.finished:  # a policy may not end a stream before its source
            reason = decision.reason if decision.action is Action.READ else Reason.END_HELD
            decision = replace(decision, action=Action.READ, reason=reason)
        yield decision
        yield from _commit(decoder, words, decision)
        if decoder.finished and decision.action is Action.WRITE:
            if floor is not None:
                logp = decoder.mean_logp()
                yield Belief(logp, doubted=logp < floor)
            return
        if decision.action is Action.READ and not (yield from _receive(decoder, wait=False)):
            if preview:
                yield Hypothesis(_join(decoder, (yield from decoder.rest())))
            yield from _receive(decoder, wait=True)


def request_whole(source: tuple[SourceUnit, ...], lexicon: Lexicon) -> Generate:
    """Ask for a segment that is complete: there is nothing to wait for, hence no policy."""
    return Generate(Query(source, ()), lexicon.limit(source), exact=True)


def commit_whole(
    source: tuple[SourceUnit, ...],
    tokens: Tokens,
    lexicon: Lexicon,
    logp: float | None = None,
) -> Iterator[Event]:
    """Report what has become of ``request_whole``; only events, no requests.

    ``logp`` is how much the model believes it, if that is known.
    """
    decoder = Decoder(lexicon)
    decoder.read(Arrival(source, finished=True))
    yield Units(source, decoder.j, lexicon.space)
    decision = Decision(Action.WRITE, Reason.FINISHED, decoder.i, decoder.j)
    yield from _commit(decoder, split_words(tokens, lexicon), decision)
    if logp is not None:
        yield Belief(logp, doubted=False)


def commit_given(
    source: tuple[SourceUnit, ...], text: str, reason: Reason, logp: float | None = None
) -> Iterator[Event]:
    """Report a segment whose translation is no model's: known, or the segment itself if it is left.

    ``logp`` is how much the model believes what it would have written.
    """
    yield Units(source, len(source))
    yield Commit(text, spaced=True, decision=Decision(Action.WRITE, reason, 1, len(source)))
    if logp is not None:
        yield Belief(logp, doubted=True)


def _receive(decoder: Decoder, *, wait: bool) -> Steps[bool]:
    """Read what source there is; tell whether there was any."""
    if decoder.finished:
        return False
    arrival: Arrival = yield Receive(wait)
    decoder.read(arrival)
    if arrival.units:
        yield Units(arrival.units, decoder.j, decoder.lexicon.space)
    return bool(arrival.units) or arrival.finished


def _words(decoder: Decoder, decision: Decision) -> Steps[list[Tokens]]:
    if decision.action is Action.READ:
        return []
    if decision.reason is Reason.FINISHED and decoder.lexicon.located:
        return [word for word, _ in (yield from decoder.hypothesis())]
    if decision.reason is Reason.FINISHED:
        return (yield from decoder.rest())
    word = yield from decoder.word()
    return [word] if word else []


def _commit(decoder: Decoder, words: list[Tokens], decision: Decision) -> Iterator[Event]:
    for word in words:
        text = decoder.lexicon.text(word)
        numbered = replace(decision, i=decoder.i)
        decoder.commit(word)
        if text.strip():
            yield Commit(" ".join(text.split()), text[0].isspace(), numbered, word)


def _join(decoder: Decoder, words: list[Tokens]) -> str:
    return " ".join("".join(map(decoder.lexicon.text, words)).split())
