"""JSON lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from lsgcli.core.steps import Action, Belief, Commit, Decision, Event, Reason, Units

if TYPE_CHECKING:
    from lsgcli.output.base import SpokenLine, SpokenWord
    from lsgcli.output.descriptor import Output


class JsonWriter:
    """JSON lines: one object for every READ, every committed word, every finished segment.

    ``index`` counts the segment's source units in ``read`` (the last of ``text``), its target words
    in ``write``; ``delay`` is how much of the source had been read. The reason is ``arrived`` for
    source units that came without a READ decision, ``protected`` for passages that are copied,
    ``known`` for those that the translation memory has, and ``left`` for sentences below the floor,
    which is also a field of their segment. A segment below the floor is ``doubted`` if words of it
    had been written. ``score`` is the mean log-probability of a token, in nats.
    """

    timed = True
    confident = True

    def __init__(self, output: Output) -> None:
        """Write to ``output``."""
        self._output = output
        self._encode = msgspec.json.Encoder().encode
        self._segment = -1
        self._source: list[str] = []
        self._text: list[str] = []
        self._delays: list[float] = []
        self._elapsed: list[float] = []
        self._language: dict[str, str] = {}
        self._space = " "  # between source units
        self._read: Decision | None = None
        self._belief: dict[str, float | bool] = {}

    def begin(self, segment: int, before: str, language: str = "") -> None:
        """Start collecting a segment."""
        self._segment = segment
        self._source, self._text, self._delays, self._elapsed = [], [], [], []
        self._read = None
        self._language = {"language": language} if language else {}
        self._belief = {}

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Write a ``read`` or ``write`` object."""
        if isinstance(event, Decision):
            self._read = event if event.action is Action.READ else None
        elif isinstance(event, Units):
            reason = self._read.reason.value if self._read else "arrived"
            words = [unit for unit in event.units if isinstance(unit, str)]
            self._source += words
            self._space = event.space
            text = {"text": event.space.join(words).strip()} if words else {}
            self._object("read", elapsed, self._read, read, index=event.j, **text, reason=reason)
            self._read = None
        elif isinstance(event, Commit):
            decision = event.decision
            if decision.reason is Reason.LEFT:
                self._belief = {"left": True}
            self._text.append((" " if event.spaced and self._text else "") + event.text)
            self._delays.append(_number(read))
            self._elapsed.append(_ms(elapsed))
            self._object(
                "write",
                elapsed,
                decision,
                read,
                index=decision.i,
                text=event.text,
                reason=decision.reason.value,
            )

        elif isinstance(event, Belief):
            doubted = {"doubted": True} if event.doubted and not self._belief else {}
            self._belief = {"score": round(event.logp, 4), **self._belief, **doubted}

    def recording(self, name: str) -> None:
        """Write a ``recording`` object."""
        self._put(type="recording", name=name)

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Write the ``segment`` object of a line that was spoken, with the times of its words."""
        words = [_word(word) for word in line.words]
        self._put(
            type="segment",
            segment=line.number,
            start=words[0]["start"],
            end=words[-1]["end"],
            prediction=line.text,
            words=words,
            **({"no_speech": round(line.no_speech, 4)} if line.no_speech is not None else {}),
            delays=[_number(word.delay) for word in line.words],
            elapsed=[_ms(word.elapsed) for word in line.words],
            elapsed_ms=_ms(elapsed),
        )
        self.flush()

    def end(self, elapsed: float) -> None:
        """Write the ``segment`` object, with the field names of SimulEval's instances.log."""
        self._put(
            type="segment",
            segment=self._segment,
            source=self._space.join(self._source),
            prediction="".join(self._text),
            delays=self._delays,
            elapsed=self._elapsed,
            source_length=len(self._source),
            **self._language,
            **self._belief,
            elapsed_ms=_ms(elapsed),
        )
        self.flush()

    def verbatim(self, text: str, elapsed: float) -> None:
        """Write a copied passage, as a ``write`` that no policy decided."""
        self._put(
            type="write",
            segment=None,
            index=None,
            text=text.strip(),
            delay=None,
            elapsed_ms=_ms(elapsed),
            reason="protected",
        )

    def end_line(self, text: str) -> None:
        """Write nothing: line ends have no object."""
        self.flush()

    def close(self) -> None:
        """Do nothing: every object is a line already."""
        self.flush()

    def flush(self) -> None:
        """Hand over what has been committed."""
        self._output.flush()

    def _object(
        self, kind: str, elapsed: float, decision: Decision | None, read: float, **more: Any
    ) -> None:
        evidence = {"max_p": decision.top, "kl": decision.kl} if decision else {}
        self._put(
            type=kind,
            segment=self._segment,
            **more,
            delay=_number(read),
            elapsed_ms=_ms(elapsed),
            **{k: round(v, 4) for k, v in evidence.items() if v is not None},
        )

    def _put(self, **record: Any) -> None:
        self._output.write(self._encode(record).decode() + "\n")


def _word(word: SpokenWord) -> dict[str, Any]:
    """A word with its times in seconds, and its probability if it is known."""
    record = {"text": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
    known = word.probability is not None and not math.isnan(word.probability)
    return record | ({"probability": round(word.probability or 0.0, 4)} if known else {})


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _number(read: float) -> float:
    """Round to a whole number of words, or to a tenth of a millisecond."""
    return int(read) if read == int(read) else round(read, 1)
