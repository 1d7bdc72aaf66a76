"""COMET, which a neural network computes: by a checkpoint that is here, in a process beside.

Source: Rei et al. 2020, COMET, https://arxiv.org/abs/2009.09025.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lsgcli.errors import LsgError, UsageError

COMET = "COMET"
WORKER = Path(__file__).with_name("comet_worker.py")
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
INSTALL = "python3 -m venv comet && comet/bin/pip install unbabel-comet 'setuptools<81'"
LONGEST = 300  # characters of what the library says


class Judged(NamedTuple):
    """A translation with what COMET reads: the source, and the reference."""

    source: str
    hypothesis: str
    reference: str


@dataclass(frozen=True)
class Comet:
    """A checkpoint, and the Python whose environment has unbabel-comet.

    Raises:
        UsageError: if there is no such checkpoint.

    """

    checkpoint: Path
    python: str

    def __post_init__(self) -> None:
        if not self.file.is_file():
            raise UsageError(
                f"--comet-model: {self.checkpoint} is no checkpoint of COMET; name the directory "
                "that has checkpoints/model.ckpt and hparams.yaml. It is not downloaded for you"
            )

    @property
    def file(self) -> Path:
        """The checkpoint's file."""
        path = self.checkpoint
        return path / "checkpoints" / "model.ckpt" if path.is_dir() else path

    def score(self, judged: list[Judged]) -> tuple[list[float], str]:
        """Score translations, with one load of the model.

        Returns:
            A score for each, of about 0 to 1, and the metric's signature.

        Raises:
            UsageError: if the Python does not run or has no unbabel-comet.
            LsgError: if COMET fails, for example since its encoder is not in the Hub's cache.

        """
        samples = [
            {"src": _line(each.source), "mt": _line(each.hypothesis), "ref": _line(each.reference)}
            for each in judged
        ]
        answer = self._ask({"checkpoint": str(self.file.resolve()), "samples": samples})
        scores, version = answer["scores"], answer["version"]
        name = self.file.resolve().parents[1].name
        signature = f"{COMET}|model:{name}|sha256:{_sha256(self.file)[:12]}|unbabel-comet:{version}"
        return scores, signature

    def _ask(self, request: dict[str, object]) -> dict[str, Any]:
        # Isolated: of the directory of the worker, a module would be taken for the library.
        try:
            done = subprocess.run(
                [self.python, "-I", str(WORKER)],
                input=json.dumps(request).encode(),
                capture_output=True,
                env=os.environ | OFFLINE,
            )
        except OSError as error:
            raise UsageError(
                f"--comet-python: {self.python} does not run: {error.strerror}"
            ) from error
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
            raise LsgError(f"COMET ended with {done.returncode}: {said[-1][:LONGEST]}") from None
        if "error" in answer:
            raise self._explained(str(answer["error"]))
        return answer

    def _explained(self, error: str) -> LsgError:
        if "No module named" in error:
            return UsageError(
                f"{self.python} has no unbabel-comet, which cannot share lsg's environment; make "
                f"one ({INSTALL}) and name its Python with --comet-python"
            )
        return LsgError(f"COMET: {_line(error)[:LONGEST]}; nothing is downloaded")


@cache
def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _line(text: str) -> str:
    return " ".join(text.split())
