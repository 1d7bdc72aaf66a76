"""Random inputs, and what may come of them: an answer, or one of the errors that are documented.

A target is a function of a random generator and a folder of its own. It makes an input, gives it
to the real code and returns; what it may raise is LsgError. Everything else is a fault: another
exception, an error of more than a line, more than ``SLOW`` seconds of the processor.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lsgcli.errors import LsgError

Target = Callable[[random.Random, Path], object]
SLOW = 5.0  # seconds of the processor for an input of some kilobytes
LONGEST = 3000  # characters of a message


@dataclass
class Report:
    """What came of the inputs of a target.

    Attributes:
        outcomes: how many were taken, and how many refused with which error.
        faults: the seeds of those that should not have come out as they did, with what came.
        slowest: the most seconds of the processor that one took.

    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    slowest: float = 0.0

    @property
    def inputs(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values()) + len(self.faults)


def try_one(name: str, target: Target, seed: str, folder: Path, report: Report) -> None:
    """Give a target one input, which its seed makes; note what comes of it."""
    start = time.process_time()
    fault = ""
    try:
        target(random.Random(f"{name} {seed}"), folder)
        outcome = "taken"
    except LsgError as error:
        outcome = type(error).__name__
        if "\n" in str(error) or not str(error) or len(str(error)) > LONGEST:
            fault = f"a message that is no line: {error!r}"
    except Exception as error:
        fault = repr(error)
    took = time.process_time() - start
    report.slowest = max(report.slowest, took)
    if took > SLOW:
        fault = fault or f"{took:.1f} s"
    if fault:
        report.faults[seed] = fault[:LONGEST]
    else:
        report.outcomes[outcome] += 1


# What a reader may stumble over.
TOKENS = (
    *(b"", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\n", b"\r\n", b"\xe2\x80\xa8", b"\x1b[31m"),
    *(b"[", b"]", b"{", b"}", b'"', b"'", b'"""', b"#", b"=", b".", b",", b":", b"\\", b"-"),
    *(b"[" * 2000, b'{"a":' * 2000, b"a." * 500, b"9" * 400, b"x" * 5000, b"\\u0000"),
    *(b"1e999", b"-1", b"0", b"2147483648", b"9223372036854775808", b"nan", b"inf", b"NaN"),
    *(b"null", b"true", b"[]", b"{}", b'""', b"../../etc/passwd", b"/dev/zero", b"{source}"),
)
# What may stand where something else is expected.
ODD: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    1 << 63,
    10**30,
    "",
    "x" * 300,
    "../x",
    "\x1b[1m",
    [],
    {},
    [[]],
)


def mutated(rng: random.Random, data: bytes, most: int = 6) -> bytes:
    """Change a text or a file in up to ``most`` places."""
    changed = bytearray(data)
    for _ in range(rng.randint(0, most)):
        at = rng.randrange(len(changed) + 1)
        until = min(len(changed), at + rng.choice((0, 1, 2, 8, 40, 400)))
        kind = rng.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del changed[at:until]
        elif kind == 2:
            changed[at:at] = changed[at:until]
        elif kind == 3:
            changed[at:until] = rng.choice(TOKENS)
        elif kind == 4:
            del changed[max(at, len(changed) - rng.randrange(1, 60)) :]
        else:
            _swap_lines(rng, changed)
    return bytes(changed)


def _swap_lines(rng: random.Random, data: bytearray) -> None:
    """Move, double or drop a line."""
    lines = bytes(data).splitlines(keepends=True)
    if lines:
        line = lines.pop(rng.randrange(len(lines)))
        for _ in range(rng.randrange(3)):
            lines.insert(rng.randrange(len(lines) + 1), line)
    data[:] = b"".join(lines)


def reshaped(rng: random.Random, value: object, rate: float = 0.1) -> object:
    """Change a value of JSON somewhere: other types, missing and unknown fields, odd numbers."""
    if rng.random() < rate:
        return rng.choice(ODD)
    if isinstance(value, dict):
        kept = {k: reshaped(rng, v, rate) for k, v in value.items() if rng.random() > rate / 3}
        return kept | ({"more": 1} if rng.random() < rate / 3 else {})
    if isinstance(value, list):
        items = [reshaped(rng, each, rate) for each in value]
        return items * rng.choice((1, 1, 1, 1, 0, 2, 50)) if rng.random() < rate else items
    return value
