"""On a terminal: the hypothesis, colours, live statistics. In a pipe: none of it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyte
import pytest
from conftest import DEADLINE, LSG, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE = "The house is small and the garden behind it is very large"
DIM = re.compile(rb"\x1b\[2m(.*?)\x1b\[22m")
COLUMNS, ROWS = 60, 30


class Terminal:
    """A pseudo-terminal, and a process with some of its standard streams there, others in pipes."""

    def __init__(self, arguments: tuple[str, ...], streams: str, **changes: str) -> None:
        """``streams`` names those on the terminal: some of ``in out err``."""
        self._master, slave = pty.openpty()
        where: dict[str, Any] = {
            f"std{name}": slave if name in streams.split() else subprocess.PIPE
            for name in ("in", "out", "err")
        }
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [*LSG, "translate", "--to", "de", *arguments],
            **where,
            bufsize=0,
            start_new_session=True,
            env=environment(COLUMNS=str(COLUMNS), LINES=str(ROWS), **changes),
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self.raw = b""

    def feed(self, text: str) -> None:
        if self.process.stdin:
            self.process.stdin.write(text.encode())
        else:
            os.write(self._master, text.encode())

    def read(self) -> bytes:
        """All that has come to the terminal so far."""
        with suppress(BlockingIOError, OSError):  # EIO: nobody has it open any more
            while data := os.read(self._master, 1 << 16):
                self.raw += data
        return self.raw

    def until(self, condition: Callable[[bytes], object]) -> bytes:
        end = time.monotonic() + DEADLINE
        while not condition(self.read()):
            assert time.monotonic() < end, f"not in time; there is {self.raw!r}"
            time.sleep(0.01)
        return self.raw

    def finish(self) -> bytes:
        if self.process.stdin:
            self.process.stdin.close()
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < end
            self.read()  # so that nobody waits for us
            time.sleep(0.01)
        return self.read()

    def screen(self) -> list[str]:
        """What a person sees."""
        screen = pyte.Screen(COLUMNS, ROWS)
        pyte.ByteStream(screen).feed(self.raw)
        return [line.rstrip() for line in screen.display if line.strip()]

    def seen(self) -> str:
        """The letters on the screen, which breaks lines inside words."""
        return "".join("".join(self.screen()).split())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


def committed(raw: bytes) -> str:
    """The letters that were written to stay."""
    text = re.sub(rb"\x1b\[2m.*?\x1b\[22m|\x1b\[[0-9]*[A-Z]", b"", raw).decode()
    return "".join(text.split())


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, streams: str, **changes: str) -> Terminal:
        started.append(Terminal(arguments, streams, **changes))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_the_hypothesis_is_shown_dimmed_and_wiped(terminal):
    lsg = terminal("--policy", "wait-k", "-k", "5", streams="out")
    for number, word in enumerate(LINE.split()):
        lsg.feed(word + " ")
        if number in (2, 3):  # later words may leave the hypothesis as it is
            lsg.until(lambda raw, least=number - 1: len(DIM.findall(raw)) >= least)
    shown = lsg.seen()
    assert len(shown) > len(committed(lsg.raw))
    lsg.feed("\n")
    raw = lsg.finish()
    assert lsg.seen() == committed(raw)  # nothing of it is left over
    assert lsg.process.returncode == 0


def test_the_output_on_the_terminal_is_that_in_a_pipe(terminal):
    options = ("--pace", "0", "--policy", "wait-k", "-k", "2")
    lsg = terminal(*options, streams="out")
    lsg.feed(LINE + "\nGood morning!\n")
    lsg.finish()
    piped = subprocess.run(
        [*LSG, "translate", "--to", "de", *options],
        input=(LINE + "\nGood morning!\n").encode(),
        capture_output=True,
        env=environment(),
    )
    assert b"\x1b" not in piped.stdout
    assert lsg.seen() == "".join(piped.stdout.decode().split())


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        (("--color", "never"), {}),
        ((), {"NO_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
    ],
    ids=["never", "NO_COLOR", "dumb"],
)
def test_no_escapes_where_none_are_wanted(terminal, arguments, changes):
    lsg = terminal(*arguments, "--stats", streams="out err", **changes)
    for word in LINE.split():
        lsg.feed(word + " ")
        time.sleep(0.02)
    assert b"\x1b" not in lsg.finish()


def test_no_hypothesis_among_objects(terminal):
    lsg = terminal("--format", "jsonl", streams="out")
    for word in LINE.split():
        lsg.feed(word + " ")
        time.sleep(0.02)
    assert b"\x1b" not in lsg.finish()


def test_color_always_beats_no_color_and_the_pipe():
    def stderr(*arguments: str, **changes: str) -> str:
        return subprocess.run(
            [*LSG, "translate", "--to", "de", "--stats", *arguments],
            input=b"The house is small.\n",
            capture_output=True,
            env=environment(**changes),
        ).stderr.decode()

    assert "\x1b" not in stderr()
    assert "\x1b[2m" in stderr("--color", "always")
    assert "\x1b[2m" in stderr("--color", "always", NO_COLOR="1")
    assert "\x1b[2m" in stderr("--color", "always", TERM="dumb")
    assert "\x1b" not in stderr("--color", "never")


def test_an_empty_no_color_says_nothing(terminal):
    lsg = terminal("--stats", streams="err", NO_COLOR="")
    lsg.feed("The house is small.\n")
    assert b"\x1b[2m" in lsg.finish()


def test_statistics_are_live_if_the_output_goes_elsewhere(terminal):
    lsg = terminal("--stats", streams="err")
    lsg.feed("The house is small.\n")
    lsg.until(lambda raw: b"4 read" in raw)  # while the input is open
    lsg.feed("The house is small.\n")
    lsg.until(lambda raw: b"8 read" in raw)
    lsg.finish()
    table = [line for line in lsg.screen() if "read" in line]
    assert len(table) == 1  # the last one has taken the place of the others
    assert "8 read" in table[0]


def test_statistics_wait_for_the_end_if_the_output_is_there_too(terminal):
    lsg = terminal(streams="out err", LSG_STATS="1")
    lsg.feed("The house is small.\n")
    raw = lsg.until(lambda raw: b"klein" in raw)
    assert b"read" not in raw
    lsg.finish()
    assert "Das Haus ist klein." in lsg.screen()
    assert any("4 read" in line for line in lsg.screen())


@pytest.mark.parametrize(
    ("arguments", "environment"), [((), {}), (("--no-stats",), {"LSG_STATS": "1"})]
)
def test_no_statistics_if_they_are_not_wanted(terminal, arguments, environment):
    lsg = terminal(*arguments, streams="err", **environment)
    lsg.feed("The house is small.\n")
    assert lsg.finish() == b""


def test_someone_typing(terminal):
    lsg = terminal(streams="in out err", TERM="dumb")
    lsg.until(lambda raw: b"reading from the terminal" in raw)
    lsg.feed("The house is small.\n")
    lsg.until(lambda raw: b"Das Haus ist klein." in raw)
    lsg.feed("\x04")  # Ctrl-D
    lsg.finish()
    assert lsg.process.returncode == 0


def test_no_note_if_quiet(terminal):
    lsg = terminal("--quiet", streams="in err")
    lsg.feed("x=1\n")
    assert lsg.process.stdout.readline() == b"x=1\n"
    assert b"reading" not in lsg.read()


def test_an_interrupt_wipes_the_hypothesis(terminal):
    lsg = terminal("--policy", "wait-k", "-k", "9", streams="out")
    lsg.feed(LINE + " ")
    lsg.until(DIM.search)
    lsg.process.send_signal(signal.SIGINT)
    raw = lsg.finish()
    assert lsg.process.returncode == 130
    assert raw.endswith(b"\n")
    assert lsg.seen() == committed(raw)


def test_the_prompt_after_an_interrupt_is_on_a_line_of_its_own(terminal):
    lsg = terminal(streams="in err")
    lsg.until(lambda raw: b"reading from the terminal" in raw)
    lsg.process.send_signal(signal.SIGINT)
    assert lsg.finish().endswith(b"Ctrl-D\r\n\r\n")
    assert lsg.process.returncode == 130
