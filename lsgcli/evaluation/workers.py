"""Workers on a Ray cluster: each loads the model once and takes work until there is none.

Ray says where they run and which GPU is whose. What is here divides the work into pieces, hands a
piece to whoever is idle, and hands out again what a worker had when it was lost. Workers write
nothing: sentences come back to the one process that writes the run.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, replace
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from lsgcli.errors import LsgError, UsageError
from lsgcli.evaluation.engine import Origin
from lsgcli.evaluation.provenance import differences, versions
from lsgcli.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lsgcli.core.backend import Placement
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.engine import Done, Work
    from lsgcli.evaluation.logs import Instance
    from lsgcli.evaluation.tasks import Task
    from lsgcli.policy.base import Policy

LOCAL = "local"  # the address of a cluster that is begun here, and ended
CORES = 4  # of a worker, unless --threads says how many
SHARE = 4  # pieces for each worker, so that they end at about the same time
MOST = 64  # sentences of a piece: what is lost with a worker
LOSSES = 3  # of one piece, after which it is not tried again
TICK = 0.5  # seconds in which a signal is seen
# Of Ray, unless set: it reports nothing to its makers, and does not warn of a change to come.
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class Piece(NamedTuple):
    """Some work for one worker."""

    policies: Sequence[Policy]
    sentences: Sequence[Sentence]
    losses: int = 0


class Worker:
    """Runs in a process of its own, as an actor of Ray's."""

    def __init__(self, task: Task, placement: Placement, *, sharing: bool) -> None:
        self._task = task
        self._placement = placement
        self._sharing = sharing

    def load(self) -> Origin:
        """Load the model; return what the results depend on. Raises what that raises."""
        origin = Origin.here(self._task, self._placement)
        self._translate = self._task.open(
            origin.decided(self._placement), (), sharing=self._sharing
        )
        return origin

    def run(
        self, policies: Sequence[Policy], sentences: Sequence[Sentence]
    ) -> list[tuple[Policy, Instance]]:
        """Run each policy over each sentence."""
        found: list[tuple[Policy, Instance]] = []
        self._translate(policies, sentences, lambda *each: found.append(each))
        return found


class Workers:
    """Workers of a cluster, all of one origin, and an engine."""

    def __init__(self, make: Callable[[], Any], count: int) -> None:
        """Have ``count`` workers made by ``make``; return when one of them can work.

        Raises:
            LsgError: what the first of them raises.

        """
        self._make = make
        self._count = count
        self._busy: dict[Any, tuple[Any, Piece | None]] = {}  # by what Ray promises; None: loads
        self._idle: list[Any] = []
        self._failures = 0  # of workers that were lost while they loaded
        self._origin: Origin | None = None
        for _ in range(count):
            self._start()
        while not self._idle:
            self._next()

    @property
    def origin(self) -> Origin:
        """What all of them have in common."""
        assert self._origin
        return self._origin

    def engine(self, work: Sequence[Work], done: Done) -> None:
        """Do the work, with ``done`` called here. Raises LsgError."""
        pieces = deque(_pieces(work, self._count))
        while pieces or any(piece for _, piece in self._busy.values()):
            while pieces and self._idle:
                worker, piece = self._idle.pop(), pieces.popleft()
                self._busy[worker.run.remote(piece.policies, piece.sentences)] = worker, piece
            found, lost = self._next()
            for policy, instance in found:
                done(policy, instance)
            if lost:
                pieces.appendleft(lost)

    def _start(self) -> None:
        worker = self._make()
        self._busy[worker.load.remote()] = worker, None

    def _next(self) -> tuple[list[tuple[Policy, Instance]], Piece | None]:
        """Wait for a worker; return the sentences it has done, or the piece that it has lost."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        if not self._busy:
            raise LsgError("--ray: no worker is left whose results are those of the first")
        ready: list[Any] = []
        while not ready:
            ready, _ = ray.wait(list(self._busy), num_returns=1, timeout=TICK)
        worker, piece = self._busy.pop(ready[0])
        try:
            answer = ray.get(ready[0])
        except RayTaskError as error:
            raise _cause(error) from error
        except RayError as error:
            return [], self._lost(piece, error)
        if piece is None:
            self._welcome(worker, answer)
            return [], None
        self._idle.append(worker)
        return answer, None

    def _lost(self, piece: Piece | None, error: Exception) -> Piece | None:
        """Have another worker in the place of one that is lost."""
        losses = self._failures = self._failures + 1
        if piece:
            self._failures, losses = 0, piece.losses + 1
            piece = piece._replace(losses=losses)
        what = f"with sentence {piece.sentences[0].index} and others" if piece else "while loading"
        reason = str(error).strip().split("\n")[0]
        if losses >= LOSSES:
            raise LsgError(
                f"--ray: {losses} workers were lost {what}: {reason}; see Ray's logs, give each "
                "more memory or fewer sentences (--batch-size), then run it again"
            )
        logger.warning(f"a worker was lost {what}; another takes its place ({reason})")
        self._start()
        return piece

    def _welcome(self, worker: Any, origin: Origin) -> None:
        """Have a worker whose results are those of the others; send others away."""
        self._failures = 0
        if self._origin is None:
            self._check_version(origin)
            self._origin = origin
        unlike = differences(asdict(self._origin), asdict(origin))
        if not unlike:
            self._idle.append(worker)
            return
        import ray

        ray.kill(worker)
        self._count -= 1
        logger.warning(f"a worker is not used, its results may differ: {unlike[0]}")

    def _check_version(self, origin: Origin) -> None:
        if unlike := differences(versions(), origin.versions):
            raise UsageError(
                f"--ray: the workers' software is another: {unlike[0]} there; install the same"
            )


@contextmanager
def workers(
    address: str, task: Task, placement: Placement, *, sharing: bool = False
) -> Iterator[Workers]:
    """Connect to a cluster, or begin one here, and start a worker for each GPU or so many cores.

    Args:
        address: ``local``, ``auto``, or that of a cluster.
        task: what they do.
        placement: ``device`` is auto, cpu or cuda; ``threads`` are the cores of each.
        sharing: see ``Task.open``.

    Raises:
        UsageError: if Ray is not installed, there is no cluster or nothing to compute with.
        LsgError: if the workers cannot load the model.

    """
    if placement.device not in ("auto", "cpu", "cuda"):
        raise UsageError(
            f"--device {placement.device}: with --ray auto, cpu or cuda; Ray says which GPU"
        )
    with _connected(address) as ray:
        device = _device(placement.device, ray)
        cores = placement.threads or min(CORES, int(_resources(ray, "CPU")))
        resource, each = ("GPU", 1) if device == "cuda" else ("CPU", cores)
        count = sum(int(node.get(resource, 0) // each) for node in _nodes(ray))
        if not count:
            raise UsageError(f"--ray {address}: no node has {each} of {resource}; see ray status")
        on_gpu = device == "cuda"
        actor = ray.remote(num_cpus=1 if on_gpu else cores, num_gpus=int(on_gpu))(Worker)
        threads = placement.threads if on_gpu else cores
        own = replace(placement, device=device, threads=threads)
        logger.info(f"{count} workers, each with {each} of {resource}")
        yield Workers(lambda: actor.remote(task, own, sharing=sharing), count)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Give Ray, connected, which says nothing on standard output. Raises UsageError."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise UsageError("--ray needs Ray: pip install 'lsg[ray]'") from error
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    options = {"include_dashboard": False} if address == LOCAL else {}
    with open(os.devnull, "w") as null, redirect_stdout(null):
        try:
            ray.init(address, log_to_driver=False, logging_level="critical", **options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = str(error).strip().split("\n")[0]
            raise UsageError(
                f"--ray {address}: {reason}; give local, auto, or the address of a cluster"
            ) from error
        for number, handler in handlers.items():
            signal.signal(number, handler)
        try:
            yield ray
        finally:
            ray.shutdown()


def _device(device: str, ray: Any) -> str:
    if device == "auto":
        return "cuda" if _resources(ray, "GPU") else "cpu"
    return device


def _nodes(ray: Any) -> list[dict[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _resources(ray: Any, name: str) -> float:
    """The most that a node has of it."""
    return max(node.get(name, 0.0) for node in _nodes(ray))


def _pieces(work: Sequence[Work], workers: int) -> Iterator[Piece]:
    total = sum(len(sentences) for _, sentences in work)
    size = max(1, min(MOST, ceil(total / (SHARE * workers))))
    for policies, sentences in work:
        for start in range(0, len(sentences), size):
            yield Piece(policies, sentences[start : start + size])


def _cause(error: Any) -> LsgError:
    cause = error.cause
    return cause if isinstance(cause, LsgError) else LsgError(f"--ray: a worker failed: {cause!r}")
