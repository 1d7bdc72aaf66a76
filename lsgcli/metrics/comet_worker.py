"""Scores translations by COMET: a program of its own, run by the Python that has unbabel-comet.

That library and lsg cannot share an environment (they ask for different huggingface_hub), so this
imports nothing of lsg. It reads ``{"checkpoint", "samples": [{"src", "mt", "ref"}]}`` and answers
``{"scores", "version"}``, or ``{"error"}``. What the library prints goes to stderr.
"""

import json
import os
import sys
from importlib.metadata import version
from typing import Any


def score(checkpoint: str, samples: list[dict[str, str]]) -> dict[str, Any]:
    """Score the samples by a checkpoint; nothing is downloaded."""
    import torch
    from comet import load_from_checkpoint

    model = load_from_checkpoint(checkpoint, local_files_only=True)
    found = model.predict(
        samples,
        gpus=int(torch.cuda.is_available()),
        num_workers=0,
        progress_bar=False,
    )
    return {"scores": list(map(float, found.scores)), "version": version("unbabel-comet")}


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    try:
        answer = score(request["checkpoint"], request["samples"])
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    with answers:
        json.dump(answer, answers)


if __name__ == "__main__":
    main()
