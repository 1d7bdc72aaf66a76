"""SIGINT and SIGTERM end every command soon, whatever it is at, with the code that tells of them.

No test here depends on how fast the machine is: what a process is at is read from ``/proc``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DEADLINE, LSG, environment
from sentences import SENTENCES

from lsgcli.models.catalog import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")

TO = ("translate", "--to", "de")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
BOTH = pytest.mark.parametrize("number", CODES, ids=lambda number: number.name[3:])
SOON = 2.0  # seconds that are promised
SLOW = 8.0  # seconds that a loaded machine may add: to wake a process, to end it


@contextmanager
def started(*arguments: str | Path, **changes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``lsg``; it does not outlive the test."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} | changes
    process = subprocess.Popen(
        [*LSG, *map(str, arguments)],
        **pipes,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.002)


def catches(process: subprocess.Popen[bytes]) -> bool:
    """Whether it takes SIGTERM, which Python by itself does not."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"SigCgt:\s*([0-9a-f]+)", status)
    return bool(found and int(found[1], 16) >> (signal.SIGTERM - 1) & 1)


def has(process: subprocess.Popen[bytes], name: str) -> bool:
    """Whether it has opened a file of that name, as a library or as a model."""
    return name in Path(f"/proc/{process.pid}/maps").read_text()


def blocked(process: subprocess.Popen[bytes]) -> bool:
    """Whether its main thread waits for something."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def ends(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal: it ends the process in time, which says nothing."""
    since = time.monotonic()
    process.send_signal(number)
    process.wait(DEADLINE)
    assert time.monotonic() - since < SOON + SLOW
    assert process.returncode == CODES[signal.Signals(number)]
    assert process.stderr
    assert process.stderr.read() == b""


@BOTH
@pytest.mark.parametrize("library", ["", "_struct", "ctranslate2", "numpy", "sentencepiece"])
def test_while_starting(number, library):
    with started(*TO) as process:
        until(lambda: catches(process))
        until(lambda: has(process, library))
        ends(process, number)


@BOTH
def test_while_waiting_for_input(number):
    with started(*TO) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"a=1\nThe house")
        process.stdin.flush()
        assert process.stdout.readline() == b"a=1\n"
        ends(process, number)


@BOTH
def test_while_the_reader_does_not_read(number):
    read, write = os.pipe()
    with started(*TO, stdout=write) as process, open(read, "rb") as reader:
        os.close(write)
        assert process.stdin
        source = b"".join(b"n=%d\n" % n for n in range(100_000))
        os.set_blocking(process.stdin.fileno(), False)
        sent = 0
        while not (sent > 200_000 and blocked(process)):  # the pipe to the reader is full
            try:
                sent += os.write(process.stdin.fileno(), source[sent : sent + 65536])
            except BlockingIOError:
                time.sleep(0.01)
        ends(process, number)
        assert source.startswith(reader.read().removesuffix(b"\n"))


@BOTH
def test_during_one_long_pass(number, tmp_path):
    """A model that is said to take more than it does computes for minutes, without any Python."""
    shutil.copytree(embedded()["en-de"], tmp_path / "m")
    manifest = tmp_path / "m" / "manifest.toml"
    text = re.sub(r"max_source_tokens = \d+", "max_source_tokens = 9000", manifest.read_text())
    manifest.write_text(text)
    words = " ".join(SENTENCES * 40).replace(".", "").replace("!", "").replace("?", "")
    with started(*TO, "--from", "en", "--model", tmp_path / "m", "--threads", "1") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"a=1\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"a=1\n"
        process.stdin.write(words.encode() + b"\n")
        process.stdin.flush()
        worked = _ticks(process)
        until(lambda: _ticks(process) > worked + 50)
        assert process.poll() is None
        ends(process, number)


def _ticks(process: subprocess.Popen[bytes]) -> int:
    """How long it has worked, in hundredths of a second."""
    return int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11])


@BOTH
def test_twice_ends_at_once(number):
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, bytes(65536))
    except BlockingIOError:
        os.set_blocking(write, True)
    with started(*TO, stdout=write) as process:  # nothing can be written at all
        assert process.stdin
        process.stdin.write(b"a=1\n" * 1000)
        process.stdin.close()
        process.stdin = None
        until(lambda: catches(process) and has(process, "ctranslate2") and blocked(process))
        process.send_signal(number)
        process.send_signal(number)
        process.wait(DEADLINE)
        assert process.returncode == CODES[number]
    os.close(read)
    os.close(write)


@BOTH
def test_a_signal_that_is_ignored_stays_so(number):
    """As the shell and nohup have it."""
    name = number.name[3:]
    command = f"trap '' {name}; exec {' '.join(LSG)} {' '.join(TO)}"
    process = subprocess.Popen(
        ["bash", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"a=1\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"a=1\n"
    process.send_signal(number)
    out, _ = process.communicate(b"b=2\n", DEADLINE)
    assert (process.returncode, out) == (0, b"b=2\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("asr", "--raw", "s16le"),
        ("st", "--raw", "s16le", "--model", "digits-en", "--to", ""),
    ],
    ids=" ".join,
)
@BOTH
def test_other_commands(arguments, number):
    """While they start, and while they wait for speech."""
    with started(*arguments) as process:
        until(lambda: catches(process))
        ends(process, number)
    with started(*arguments) as process:
        until(lambda: has(process, "ctranslate2") and blocked(process))
        ends(process, number)


def test_a_hang_up_is_the_end_too():
    with started(*TO) as process:
        until(lambda: catches(process))
        process.send_signal(signal.SIGHUP)
        assert process.wait(DEADLINE) == -signal.SIGHUP
