"""Models in GGUF, the format of llama.cpp and Ollama.

Transformers reads what such a file says of the model and its tokenizer, and knows how its tensors
are named and laid out. Its weights are read here, a few rows at a time, into half precision:
Transformers would make float32 of each tensor, twice.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lsgcli.errors import ModelError, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

MAGIC = b"GGUF"
BLOCK = 4 << 20  # weights that are read at once
FEW_BITS = 7  # a weight; with fewer, a difference can be measured
# What may end an answer, by llama.cpp's names for their numbers.
ENDS = ("eos_token_id", "eot_token_id", "eom_token_id")
REMEDY = "a GGUF file needs the package gguf; run: pip install 'lsg[convert]'"


def is_gguf(file: Path) -> bool:
    """Whether a path is a file that begins as GGUF does. Raises ModelError if it cannot be read."""
    if not file.is_file():
        return False
    try:
        with file.open("rb") as opened:
            return opened.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}") from error


@dataclass(frozen=True)
class Tensor:
    """Where in the file a tensor is, and how it is stored."""

    name: str
    shape: tuple[int, ...]
    offset: int  # bytes
    kind: Any  # gguf's name for how weights are packed
    stored: Any  # NumPy's type of what is stored
    width: int  # items of that type in a row

    @property
    def rows(self) -> int:
        """How many rows there are, over all dimensions but the last."""
        return int(np.prod(self.shape[:-1]))


@dataclass(frozen=True)
class Gguf:
    """What a file holds, without its weights.

    ``bits``: of a weight, on average. ``ends``: numbers of the tokens that may end an answer.
    """

    file: Path
    architecture: str
    tensors: tuple[Tensor, ...]
    bits: float
    ends: tuple[int, ...]
    licence: str

    def unpack(self, directory: Path) -> None:
        """Write the configuration and the tokenizer into a new directory, as Transformers does.

        Raises ModelError, OSError.
        """
        from transformers import AutoConfig, AutoTokenizer

        where, name = str(self.file.parent), self.file.name
        with _readable(self.file):
            config = AutoConfig.from_pretrained(where, gguf_file=name)
            tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
        directory.mkdir()
        config.save_pretrained(directory)
        try:
            tokenizer.save_pretrained(directory)
        except Exception as error:  # the library has no narrower one for a full disk
            raise OSError(one_line(error)) from error
        ends = json.dumps({"eos_token_id": self.ends})
        (directory / "generation_config.json").write_text(ends, encoding="utf-8")

    def model(self, kind: Any, config: Any) -> Any:
        """The model in half precision, or as the file has it; ``kind`` is its class.

        Vectors, which are small, are in float32. Raises ModelError.
        """
        from accelerate import init_empty_weights

        with _readable(self.file):
            with init_empty_weights(include_buffers=False):
                made = kind(config) if hasattr(kind, "get_decoder") else kind.from_config(config)
            made.load_state_dict(self._weights(made), strict=False, assign=True)
            made.tie_weights()
        missing = next((name for name, each in made.named_parameters() if each.is_meta), None)
        if missing is not None:
            raise ModelError(f"{self.file}: it has no weights for {missing}")
        return made

    def _weights(self, model: Any) -> dict[str, torch.Tensor]:
        """The tensors, by the names of the model's parameters."""
        from transformers.modeling_gguf_pytorch_utils import (
            TENSOR_PROCESSORS,
            TensorProcessor,
            get_gguf_hf_weights_map,
        )

        kind = TENSOR_PROCESSORS.get(self.architecture, TensorProcessor)
        processor = kind(config=model.config.to_dict())
        names = get_gguf_hf_weights_map(model, processor)
        dtype = _dtype({each.kind.name for each in self.tensors})
        read: dict[str, torch.Tensor] = {}
        for tensor in self.tensors:
            if tensor.name in names:
                read[names[tensor.name]] = _laid_out(processor, tensor, self._read(tensor, dtype))
        return read

    def _read(self, tensor: Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Read a tensor, a few rows at a time."""
        import torch
        from gguf import dequantize

        long = tensor.shape[-1]
        kept = dtype if len(tensor.shape) > 1 else torch.float32
        made = torch.empty((tensor.rows, long), dtype=kept)
        step = max(1, BLOCK // long)
        for start in range(0, tensor.rows, step):
            count = min(step, tensor.rows - start) * tensor.width
            offset = tensor.offset + start * tensor.width * tensor.stored.itemsize
            block = np.fromfile(self.file, tensor.stored, count, offset=offset)
            values = dequantize(block.reshape(-1, tensor.width), tensor.kind)
            made[start : start + step] = torch.from_numpy(values)
        return made.reshape(tensor.shape)


def read(file: Path) -> Gguf:
    """Read what a file says of itself. Raises ModelError, and UsageError without gguf."""
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise UsageError(f"{REMEDY} ({error})") from error
    with _readable(file):
        reader = GGUFReader(file)

        def field(name: str) -> Any:
            found = reader.get_field(name)
            return None if found is None else found.contents()

        if (parts := field("split.count") or 1) > 1:
            raise ModelError(f"{file}: one of {parts} parts; run: llama-gguf-split --merge")
        ends = [field(f"tokenizer.ggml.{name}") for name in ENDS]
        return Gguf(
            file,
            field("general.architecture"),
            tuple(map(_tensor, reader.tensors)),
            8.0
            * sum(int(t.n_bytes) for t in reader.tensors)
            / sum(int(t.n_elements) for t in reader.tensors),
            tuple(dict.fromkeys(int(number) for number in ends if number is not None)),
            field("general.license") or "",
        )


def _tensor(found: Any) -> Tensor:
    shape = tuple(int(size) for size in reversed(found.shape))
    stored = found.data  # a map of the file, of which nothing is read
    offset = int(found.data_offset)
    return Tensor(found.name, shape, offset, found.tensor_type, stored.dtype, stored.shape[-1])


def _laid_out(processor: Any, tensor: Tensor, found: torch.Tensor) -> torch.Tensor:
    """A tensor as Transformers lays it out."""
    import torch

    plain = found if found.dtype != torch.bfloat16 else found.float()  # NumPy has none
    laid = processor.process(
        weights=plain.numpy(), name=tensor.name, tensor_key_mapping={}, parsed_parameters={}
    )
    return torch.from_numpy(np.ascontiguousarray(laid.weights)).to(found.dtype)


def _dtype(types: set[str]) -> torch.dtype:
    """The type that holds what a file with tensors of these types has."""
    import torch

    if types <= {"F32"}:
        return torch.float32
    return torch.bfloat16 if "BF16" in types else torch.float16


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Make a ModelError of what the libraries raise for files that are damaged or unknown."""
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError, OSError) as error:
        raise ModelError(f"{file}: {one_line(error)}") from error
