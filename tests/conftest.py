"""What the tests share: the real `lsg` in real processes, the real model, the data beside us."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from lsgcli.models import preferences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lsgcli.core.backend import Backend

DEADLINE = 300  # seconds; for what takes a fraction of one on a machine at rest
LSG = (sys.executable, "-m", "lsgcli")
ROOT = Path(__file__).parents[1]

hypothesis.settings.register_profile("slow machines", deadline=None)
hypothesis.settings.load_profile("slow machines")


@dataclass(frozen=True)
class Result:
    """What a finished process leaves."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output, which must be UTF-8."""
        return self.stdout.decode()

    @property
    def lines(self) -> list[str]:
        """Lines of standard output, without their ends."""
        assert not self.stdout or self.stdout.endswith(b"\n")
        return self.text.split("\n")[:-1]


def environment(**changes: str) -> dict[str, str]:
    """The least helpful environment: buffered, not a UTF-8 locale, no opinion on colours."""
    dropped = {"PYTHONUNBUFFERED", "PYTHONIOENCODING", "NO_COLOR", "FORCE_COLOR", "LSG_DEBUG"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    return kept | locale | {"TERM": "xterm"} | changes


def run_lsg(
    *arguments: str | Path,
    stdin: bytes | None = b"",
    timeout: float = 2 * DEADLINE,
    cwd: Path | None = None,
    **changes: str,
) -> Result:
    """Run ``lsg`` to its end; ``changes`` are environment variables."""
    done = subprocess.run(
        [*LSG, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        cwd=cwd,
        env=environment(**changes),
    )
    return Result(done.returncode, done.stdout, done.stderr.decode())


class Live:
    """A running ``lsg translate --to de`` with a pipe at each end."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*LSG, "translate", "--to", "de", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),
        )
        self.seen: list[bytes] = []  # all that had come out, after each piece that came
        self._out = threading.Thread(target=self._collect, daemon=True)
        self._out.start()

    @property
    def out(self) -> bytes:
        """All that has come out so far."""
        return self.seen[-1] if self.seen else b""

    def feed(self, data: bytes | str, pause: float = 0.0) -> None:
        """Write a piece of input."""
        assert self.process.stdin
        self.process.stdin.write(data.encode() if isinstance(data, str) else data)
        time.sleep(pause)

    def until(self, condition: Callable[[bytes], object]) -> bytes:
        """Wait until the output satisfies ``condition``; give it."""
        end = time.monotonic() + DEADLINE
        while not condition(out := self.out):
            assert time.monotonic() < end, f"not in time; there is {out!r}"
            assert self.process.poll() is None or condition(self.out), f"ended; there is {out!r}"
            time.sleep(0.005)
        return out

    def finish(self) -> Result:
        """End the input, wait for the end."""
        assert self.process.stdin
        assert self.process.stderr
        self.process.stdin.close()
        stderr = self.process.stderr.read().decode()
        code = self.process.wait(DEADLINE)
        self._out.join(DEADLINE)
        return Result(code, self.out, stderr)

    def _collect(self) -> None:
        assert self.process.stdout
        while data := self.process.stdout.read(1 << 16):
            self.seen.append(self.out + data)


@pytest.fixture
def live() -> Iterator[Callable[..., Live]]:
    """Start ``Live`` processes, which do not outlive the test."""
    started: list[Live] = []

    def start(*arguments: str) -> Live:
        started.append(Live(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        for pipe in (each.process.stdin, each.process.stdout, each.process.stderr):
            assert pipe
            pipe.close()


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Use no models and no settings of whoever runs the tests, who needs no advice either."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").mkdir()
    (home / "models" / preferences.SAID).touch()
    os.environ["LSG_HOME"] = str(home)


def embedded(compute_type: str = "auto") -> Backend:
    from lsgcli.backends import open_backend
    from lsgcli.core.backend import Placement
    from lsgcli.models.catalog import find

    return open_backend(find(None, None, "de"), Placement(compute_type=compute_type))


@pytest.fixture(scope="session")
def backend() -> Backend:
    """The embedded model."""
    return embedded()


@pytest.fixture(scope="session")
def unrounded() -> Backend:
    """The same in float32: int8 rounds, and how depends on the CPU and on what shares a pass."""
    return embedded("float32")


@pytest.fixture
def shared() -> Path:
    """The data beside the project; without it the test is skipped."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    return folder
