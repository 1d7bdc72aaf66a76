"""Weights that are rounded while they are written, a few rows at a time.

CTranslate2 quantises each matrix whole, in float32, before it writes the first byte. The largest
one of a language model, its vocabulary's, is a gigabyte then, three times over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ctranslate2.specs.common_spec import LinearSpec
from ctranslate2.specs.model_spec import NumpyVariable, PyTorchVariable, Variable, visit_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from ctranslate2.specs.model_spec import ModelSpec

BLOCK = 4 << 20  # elements that are rounded at once
TENSORS = ("float32", "float16", "bfloat16")


def round_when_written(spec: ModelSpec, quantization: str) -> None:
    """Have the variables of a valid ``spec`` become what they are to be as they are written."""
    if quantization == "int16":  # has one scale for all rows
        spec.optimize(quantization)
        return
    spec.optimize()  # aliases what is there twice

    def wrap(layer: Any, name: str, value: Any) -> None:
        key = name.rpartition("/")[2]
        if not isinstance(value, PyTorchVariable) or value.is_scalar():
            return
        if value.dtype not in TENSORS:
            return
        if hasattr(layer, f"{key}_scale") and quantization.startswith("int8"):
            rounded = Rows(value.tensor)
            setattr(layer, key, rounded)
            setattr(layer, f"{key}_scale", rounded.scale)
        else:
            setattr(layer, key, Cast(value.tensor, _floats(quantization) or value.dtype))

    visit_spec(spec, wrap)


def _floats(quantization: str) -> str:
    """The type of what is not rounded to integers; "" if it stays as it is."""
    kind = quantization.removeprefix("int8").removeprefix("_")
    return kind if kind in TENSORS else ""


class Cast(Variable):
    """A tensor that is written in another floating-point type."""

    def __init__(self, tensor: torch.Tensor, dtype: str) -> None:
        """Take the tensor as it is, to be written as ``dtype``."""
        self.tensor = tensor.detach()
        self._dtype = dtype

    @property
    def shape(self) -> list[int]:
        """The tensor's."""
        return list(self.tensor.shape)

    @property
    def dtype(self) -> str:
        """The type in which it is written."""
        return self._dtype

    def numpy(self) -> Any:
        """The tensor's values, in float32."""
        return self.tensor.float().numpy()

    def num_bytes(self) -> int:
        """How many bytes ``to_bytes`` gives."""
        return int(self.tensor.numel()) * (1 if self._dtype == "int8" else _size(self._dtype))

    def to_bytes(self) -> Any:
        """The bytes to be written."""
        import torch

        made = torch.empty(self.tensor.shape, dtype=getattr(torch, self._dtype))
        for part, rows in zip(made.split(_step(made)), self._blocks(), strict=True):
            part.copy_(rows)
        return memoryview(made.flatten().view(torch.uint8).numpy())

    def _blocks(self) -> Iterator[torch.Tensor]:
        yield from self.tensor.split(_step(self.tensor))

    def _to(self, dtype: str) -> Variable:
        return Cast(self.tensor, dtype)

    def _equal(self, other: object) -> bool:
        return self is other


class Rows(Cast):
    """A matrix that is written in int8, with a scale for each row."""

    def __init__(self, tensor: torch.Tensor) -> None:
        """Take the tensor as it is."""
        super().__init__(tensor, "int8")
        self.scale = Scale(self)

    def to_bytes(self) -> Any:
        """The bytes to be written; ``scale`` is known then."""
        import torch

        rounded = np.empty(self.tensor.shape, np.int8)
        scales = np.empty(len(rounded), np.float32)
        start = 0
        for block in self._blocks():
            linear = LinearSpec()
            linear.weight = PyTorchVariable(block.to(torch.float32, copy=True))  # changed in place
            linear.optimize("int8")  # CTranslate2's own rounding
            stop = start + len(block)
            rounded[start:stop], scales[start:stop] = linear.weight.array, linear.weight_scale.array
            start = stop
        self.scale.found = scales
        return rounded.data


class Scale(Variable):
    """The scales of a matrix's rows, which are found when it is written."""

    def __init__(self, rows: Rows) -> None:
        """Of these rows."""
        self._rows = rows
        self.found: Any = None

    @property
    def shape(self) -> list[int]:
        """One for each row."""
        return self._rows.shape[:1]

    @property
    def dtype(self) -> str:
        """As CTranslate2 has it."""
        return "float32"

    def numpy(self) -> Any:
        """The scales."""
        if self.found is None:
            self._rows.to_bytes()
        return self.found

    def num_bytes(self) -> int:
        """How many bytes ``to_bytes`` gives."""
        return 4 * self.shape[0]

    def to_bytes(self) -> Any:
        """The bytes to be written."""
        return NumpyVariable(self.numpy()).to_bytes()

    def _to(self, dtype: str) -> Variable:
        return NumpyVariable(self.numpy()).to(dtype)

    def _equal(self, other: object) -> bool:
        return self is other


def _step(tensor: torch.Tensor) -> int:
    """How many rows make a block."""
    return max(1, BLOCK // max(1, int(tensor.numel()) // max(1, len(tensor))))


def _size(dtype: str) -> int:
    return 4 if dtype == "float32" else 2
