"""A Whisper in CTranslate2's format with weights in int8 on disk: a quarter of float32's size.

    python models/recipes/whisper/quantise.py SOURCE OUTPUT

CTranslate2 quantises while it converts from another format, or while it loads, and cannot save what
it has loaded. So its own converter is given the variables of ``model.bin``: scales, rounding and
the format are CTranslate2's. What it does not quantise (biases, norms, positions) stays as it is.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ctranslate2.converters.converter import Converter
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.model_spec import visit_spec

from lsgcli.models.whisper import vocabulary

if TYPE_CHECKING:
    from typing import BinaryIO

    from numpy.typing import NDArray

    Variables = dict[str, NDArray[Any]]

VERSION = 6  # of the binary format
TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
KEPT = ("tokenizer.json", "preprocessor_config.json")


def variables(file: Path) -> Variables:
    """Everything in a ``model.bin``, by name; an alias is another name for the same array.

    Raises ValueError if it is of another version.
    """
    with file.open("rb") as stream:
        if (version := _number(stream, "<I")) != VERSION:
            raise ValueError(f"{file}: version {version} of the format, not {VERSION}")
        _name(stream), _number(stream, "<I")  # the specification and its revision
        stored: Variables = {}
        for _ in range(_number(stream, "<I")):
            name = _name(stream)
            shape = [_number(stream, "<I") for _ in range(_number(stream, "<B"))]
            kind, size = TYPES[_number(stream, "<B")], _number(stream, "<I")
            stored[name] = np.frombuffer(bytearray(stream.read(size)), kind).reshape(shape)
        for _ in range(_number(stream, "<I")):
            alias, name = _name(stream), _name(stream)
            stored[alias] = stored[name]
            if f"{name}_scale" in stored:
                stored[f"{alias}_scale"] = stored[f"{name}_scale"]
    return stored


def multiplied_out(stored: Variables) -> Variables:
    """The same without scales: int8 weights as the numbers they stand for, in float32."""
    scales = {name: scale for name, scale in stored.items() if name.endswith("_scale")}
    plain = {name: value for name, value in stored.items() if name not in scales}
    for name, scale in scales.items():
        weight = plain[name.removesuffix("_scale")]
        rows = scale.reshape(-1, *[1] * (weight.ndim - 1))
        plain[name.removesuffix("_scale")] = weight.astype(np.float32) / rows
    return plain


class Stored(Converter):
    """CTranslate2's converter, fed from a directory that is in its format already."""

    def __init__(self, directory: Path) -> None:
        """Convert what is in ``directory``."""
        self._directory = directory

    def _load(self) -> WhisperSpec:
        stored = multiplied_out(variables(self._directory / "model.bin"))
        sides = ("encoder", "decoder")
        shape = [n for side in sides for n in (_layers(stored, side), stored[f"{side}/num_heads"])]
        spec = WhisperSpec(*map(int, shape))

        def fill(part: Any, name: str, value: object) -> None:
            if name in stored:
                setattr(part, name.rpartition("/")[2], stored.pop(name))

        visit_spec(spec, fill)
        if stored:
            raise ValueError(f"{self._directory}: no part of a Whisper: {', '.join(stored)}")
        settings = json.loads((self._directory / "config.json").read_text(encoding="utf-8"))
        for name, value in settings.items():
            setattr(spec.config, name, value)
        spec.register_vocabulary(vocabulary(self._directory))
        return spec


def quantise(source: Path, output: Path, quantisation: str = "int8") -> None:
    """Write the model in ``source`` to the new directory ``output``.

    Raises ValueError if it is no Whisper, RuntimeError if the output is there.
    """
    Stored(source).convert(str(output), quantization=quantisation)
    for name in KEPT:
        if (source / name).exists():
            shutil.copyfile(source / name, output / name)


def _layers(stored: Variables, side: str) -> int:
    return sum(
        re.fullmatch(rf"{side}/layer_\d+/ffn/layer_norm/gamma", name) is not None for name in stored
    )


def _number(stream: BinaryIO, kind: str) -> int:
    return int(struct.unpack(kind, stream.read(struct.calcsize(kind)))[0])


def _name(stream: BinaryIO) -> str:
    return stream.read(_number(stream, "<H")).rstrip(b"\0").decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    quantise(arguments.source, arguments.output)
