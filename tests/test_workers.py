"""Runs and searches by workers on a Ray cluster: the same bytes, whoever is lost on the way."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import DEADLINE, LSG, Result, environment, run_lsg
from parallel_corpus import write_corpus
from test_cli import check_error

from lsgcli.core.backend import Placement
from lsgcli.errors import UsageError
from lsgcli.evaluation.tasks import Text
from lsgcli.evaluation.workers import workers
from lsgcli.models.catalog import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
SYSTEMS = ("--policy", "lsg,wait-k", "--threads", "1", "--batch-size", "4", "-q")
TOKEN = secrets.token_hex(16)  # of our cluster: nobody else's workers are lost
# Ray's workers are nice; on a busy machine they would not get on.
QUICK = {
    "RAY_worker_niceness": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
}
CLUSTER = """
import ray
ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
input()
ray.shutdown()
"""
# A task whose workers do what the argument says.
SPOILT = """
import os, sys
from dataclasses import replace
from lsgcli.core.backend import Placement
from lsgcli.errors import LsgError
from lsgcli.evaluation.corpus import Sentence
from lsgcli.evaluation.tasks import Text
from lsgcli.evaluation.workers import workers
from lsgcli.models.catalog import find

how = HOW

class Spoilt:
    @property
    def model(self):
        model = find(None, None, "de")
        return replace(model, source=str(os.getpid())) if how == "is another" else model
    def open(self, placement, sentences, *, speed=None, sharing=False):
        if how == "dies while loading":
            os._exit(3)
        def translate(policies, sentences, done):
            if how == "dies":
                os._exit(3)
            if how == "is another":
                return done("policy", "instance")
            raise LsgError("sentence 3: too long") if how == "refuses" else ValueError("what?")
        return translate

try:
    results = []
    with workers(sys.argv[1], Spoilt(), Placement(threads=1)) as found:
        if how == "is another":
            found._next()  # the second worker has loaded, too
        found.engine([(["policy"], [Sentence(3, "a", "b")])], lambda *each: results.append(each))
    print(results)
except LsgError as error:
    print(error)
"""


def ray_lsg(*arguments: str | Path) -> Result:
    """Run ``lsg`` to its end, where it may use the cluster."""
    with start(*arguments) as process:
        stdout, stderr = process.communicate(timeout=DEADLINE)
    return Result(process.returncode, stdout.encode(), stderr)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two cores."""
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **QUICK},
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate("\n", timeout=DEADLINE)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str | Path, ...]]:
    """A run by one process, and its options."""
    folder = tmp_path_factory.mktemp("local")
    options = ("eval", "run", *write_corpus(folder, times=4), *SYSTEMS)
    assert run_lsg(*options, "-o", folder / "run").code == 0
    return folder / "run", options


def same(run: Path, other: Path) -> bool:
    """Whether two runs are the same, but for the command and the time in their records."""
    names = sorted(str(file.relative_to(run)) for file in run.rglob("*") if file.is_file())
    others = sorted(str(file.relative_to(other)) for file in other.rglob("*") if file.is_file())
    return names == others and all(
        (run / name).read_bytes() == (other / name).read_bytes()
        for name in names
        if name != "run.json"
    )


def begun(run: Path) -> bool:
    """Whether a run has some sentences, and is not done."""
    return any(file.stat().st_size for file in run.glob("*/instances.part"))


def worker() -> int | None:
    """The process of a worker that is working."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            working = (process / "cmdline").read_bytes().startswith(b"ray::Worker.run")
            if working and TOKEN.encode() in (process / "environ").read_bytes():
                return int(process.name)
        except OSError:
            continue
    return None


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LSG, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**QUICK),
    )


@needs_ray
def test_a_worker_that_is_lost(
    cluster: str, local: tuple[Path, tuple[str | Path, ...]], tmp_path: Path
) -> None:
    whole, options = local
    run = tmp_path / "run"
    with start(*[each for each in options if each != "-q"], "-o", run, "--ray", cluster) as process:
        wait_for(lambda: begun(run) and worker(), process)
        lost = worker()
        assert lost
        os.kill(lost, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, stderr
    assert "lsg: 2 workers, each with 1 of CPU\n" in stderr
    assert "another takes its place" in stderr
    assert "lsg-L" in stdout
    assert same(run, whole)


@needs_ray
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_ray_began_goes_on_here(
    cluster: str, local: tuple[Path, tuple[str | Path, ...]], tmp_path: Path, number: int
) -> None:
    whole, options = local
    run = tmp_path / "run"
    with start(*options, "-o", run, "--ray", cluster) as process:
        wait_for(lambda: begun(run), process)
        process.send_signal(number)
        process.communicate(timeout=DEADLINE)
    assert process.returncode == (130 if number == signal.SIGINT else -9)
    result = run_lsg(*options, "-o", run, "--resume")
    assert (result.code, result.stderr) == (0, "")
    assert same(run, whole)


@needs_ray
def test_a_cluster_that_is_begun_for_it(
    local: tuple[Path, tuple[str | Path, ...]], tmp_path: Path
) -> None:
    """And a shard of it: each is a matter of its own."""
    whole, options = local
    run = tmp_path / "run"
    result = ray_lsg(*options, "-o", run, "--shard", "1/2", "--ray", "local")
    assert (result.code, result.stderr) == (0, "")
    assert run_lsg(*options, "-o", run, "--shard", "2/2").code == 0
    assert run_lsg("eval", "merge", run).code == 0
    for log in whole.glob("*/instances.log"):
        assert (run / log.relative_to(whole)).read_bytes() == log.read_bytes()


@needs_ray
def test_tune_finds_the_same(cluster: str, tmp_path: Path) -> None:
    options = (*write_corpus(tmp_path, times=2), "--grid", "delta=1,2 alpha=0.5", "--threads", "1")
    found = [
        ray_lsg("tune", *options, "--format", "json", "-q", *where)
        for where in (("--ray", cluster), ())
    ]
    assert [each.code for each in found] == [0, 0], found
    assert found[0].stdout == found[1].stdout
    assert found[0].stderr == ""


@needs_ray
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("dies", "--ray: 3 workers were lost with sentence 3 and others: "),
        ("dies while loading", "--ray: 3 workers were lost while loading: "),
        ("refuses", "sentence 3: too long\n"),
        ("fails", "--ray: a worker failed: ValueError('what?')\n"),
        ("is another", "[('policy', 'instance')]\n"),
    ],
)
def test_workers_that_do_not_what_they_should(cluster: str, how: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPOILT.replace("HOW", repr(how)), cluster],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=environment(**QUICK),
    )
    assert done.stdout.startswith(said), done
    assert done.stdout.count("\n") == 1
    if how == "is another":
        assert "a worker is not used, its results may differ: model.direction was " in done.stderr


@needs_ray
def test_no_cluster(local: tuple[Path, tuple[str | Path, ...]], tmp_path: Path) -> None:
    _, options = local
    result = ray_lsg(*options, "-o", tmp_path / "run", "--ray", "nonsense")
    check_error(result, 2, "--ray nonsense: .*; give local, auto, or the address of a cluster")
    assert not (tmp_path / "run").exists()


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    task = Text(find(None, None, "de"))
    with (
        pytest.raises(UsageError, match=r"--ray needs Ray: pip install 'lsg\[ray\]'"),
        workers("local", task, Placement()),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--device", "cuda:1"), "--device cuda:1: with --ray auto, cpu or cuda; Ray says which"),
        (("--computation-aware",), "--computation-aware measures one process; share it out with"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    corpus = write_corpus(tmp_path)
    result = run_lsg("eval", "run", *corpus, "-o", tmp_path / "run", "--ray", "local", *options)
    check_error(result, 2, said)
