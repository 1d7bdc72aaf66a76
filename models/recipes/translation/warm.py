"""Start from a model in CTranslate2's format: what it knows is not learnt again.

The body is taken over, its int8 weights as the numbers they stand for. Of the embeddings, a piece
that both vocabularies have is taken over; any other begins as the mean of the pieces that the old
vocabulary cuts it into. Further models give the pieces that those before them do not have.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from network import Network
    from numpy.typing import NDArray

TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
VERSION = 6


def _number(file: BinaryIO, kind: str) -> int:
    return int(struct.unpack(kind, file.read(struct.calcsize(kind)))[0])


def _name(file: BinaryIO) -> str:
    return file.read(_number(file, "<H")).rstrip(b"\0").decode()


def variables(path: Path) -> dict[str, NDArray[np.float32]]:
    """Everything in a ``model.bin``, with int8 weights multiplied out. Raises SystemExit."""
    stored: dict[str, NDArray[Any]] = {}
    with path.open("rb") as file:
        if (version := _number(file, "<I")) != VERSION:
            raise SystemExit(f"{path}: version {version} of the format, not {VERSION}")
        _name(file), _number(file, "<I")
        for _ in range(_number(file, "<I")):
            name = _name(file)
            shape = [_number(file, "<I") for _ in range(_number(file, "<B"))]
            kind, size = TYPES[_number(file, "<B")], _number(file, "<I")
            stored[name] = np.frombuffer(file.read(size), kind).reshape(shape)
    result = {}
    for name, values in stored.items():
        if name.endswith("weight"):
            scale = stored.get(f"{name}_scale")
            result[name] = values / scale[:, None] if scale is not None else values
        elif name.endswith("gamma"):
            result[name] = values
    return {name: np.array(values, np.float32) for name, values in result.items()}


def start(network: Network, words: Vocabulary, models: Sequence[Path]) -> None:
    """Give the network the weights of the models in these directories. Raises SystemExit.

    Or those of a checkpoint of train.py, of the same vocabulary, exactly as they were.
    """
    if models[0].suffix == ".pt":
        _resumed(network, models[0])
        return
    stored = [variables(model / "model.bin") for model in models]
    old = stored[0]
    body: list[tuple[torch.nn.Parameter, NDArray[np.float32] | None]] = []
    for number, layer in enumerate(network.layers):
        at = f"decoder/layer_{number}/"
        gates = [old.get(f"{at}ffn/linear_0{part}/weight") for part in ("", "_noact")]
        found = [gate for gate in gates if gate is not None]
        for weight, name in (
            (layer.attention_norm.weight, "self_attention/layer_norm/gamma"),
            (layer.attention_in.weight, "self_attention/linear_0/weight"),
            (layer.attention_out.weight, "self_attention/linear_1/weight"),
            (layer.inner_norm.weight, "ffn/layer_norm/gamma"),
            (layer.inner_out.weight, "ffn/linear_1/weight"),
        ):
            body.append((weight, old.get(at + name)))
        body.append((layer.inner_in.weight, np.concatenate(found) if found else None))
    body.append((network.norm.weight, old["decoder/layer_norm/gamma"]))
    for weight, values in body:
        if values is None or weight.shape != values.shape:
            raise SystemExit(f"{models[0]} has another shape than the network: choose the same")
        weight.data.copy_(torch.from_numpy(values))
    known = [Vocabulary(model / "spm.model") for model in models]
    embeddings = [each["decoder/embeddings/weight"] for each in stored]
    _embeddings(network, words, list(zip(known, embeddings, strict=True)))


def _resumed(network: Network, checkpoint: Path) -> None:
    kept = torch.load(checkpoint, weights_only=True)["network"]
    if {name: weight.shape for name, weight in kept.items()} != {
        name: weight.shape for name, weight in network.state_dict().items()
    }:
        raise SystemExit(f"{checkpoint} has another shape than the network: choose the same")
    network.load_state_dict(kept)


def _embeddings(
    network: Network, words: Vocabulary, models: Sequence[tuple[Vocabulary, NDArray[np.float32]]]
) -> None:
    rows: dict[str, NDArray[np.float32]] = {}
    for known, old in reversed(models):  # the first goes over the others
        rows.update(zip(known.names, old, strict=False))
    known, old = models[0]
    size = np.linalg.norm(old, axis=1).mean()
    tags = [i for i, name in enumerate(known.names) if name.startswith("<2")]
    for i, name in enumerate(words.names):
        if (row := rows.get(name)) is None:
            blank = name.startswith("▁")
            pieces = known.encode([name.lstrip("▁")])[0]
            if pieces and not blank and known.names[pieces[0]] == "▁":
                pieces = pieces[1:]
            row = old[tags if name.startswith("<2") else pieces or [0]].mean(0)
            row = row * (size / max(np.linalg.norm(row), 1e-6))
        network.embedding.weight.data[i] = torch.from_numpy(np.ascontiguousarray(row))
    taken = sum(name in rows for name in words.names)
    print(f"{taken} of {words.size} pieces taken over", flush=True)
