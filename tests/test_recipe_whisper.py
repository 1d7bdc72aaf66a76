"""The recipe of int8 weights: what it writes is CTranslate2's, and nothing is lost twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_recipe_translation import module

from lsgcli.backends.probe import probe
from lsgcli.models.catalog import embedded

RECIPE = Path(__file__).parents[1] / "models" / "recipes" / "whisper"


@pytest.fixture(scope="module")
def recipe():
    return module("quantise", RECIPE)


def test_quantised_again_it_is_the_same(tmp_path):
    """Through float32 and back: all scales, all weights, every byte."""
    model = embedded()["tiny.en"]
    command = [sys.executable, RECIPE / "quantise.py", model, tmp_path / "again"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("model.bin", "vocabulary.json", "tokenizer.json"):
        assert (tmp_path / "again" / name).read_bytes() == (model / name).read_bytes(), name
    first, second = (
        json.loads((each / "config.json").read_text()) for each in (model, tmp_path / "again")
    )
    assert first == second


def test_int8_stands_for_the_numbers_that_were(tmp_path, recipe):
    """From float16 to int8: no weight moves by more than half a step of its row."""
    float16, int8 = tmp_path / "float16", tmp_path / "int8"
    recipe.quantise(embedded()["digits-en"], float16, "float16")
    before = recipe.variables(float16 / "model.bin")
    assert not [name for name in before if name.endswith("_scale")]
    recipe.quantise(float16, int8)
    stored = recipe.variables(int8 / "model.bin")
    after = recipe.multiplied_out(stored)
    weights = [name for name in stored if f"{name}_scale" in stored]
    assert len(weights) > 30
    for name in weights:
        step = 1 / stored[f"{name}_scale"].reshape(-1, *[1] * (before[name].ndim - 1))
        assert stored[name].dtype == np.int8
        assert (np.abs(after[name] - before[name]) <= 0.501 * step).all(), name
    probe(int8)


def test_refuses_what_it_does_not_know(tmp_path, recipe):
    file = tmp_path / "model.bin"
    file.write_bytes(b"\x07\0\0\0" + bytes(100))
    with pytest.raises(ValueError, match="version 7"):
        recipe.variables(file)
    with pytest.raises((ValueError, KeyError)):
        recipe.quantise(embedded()["en-de"], tmp_path / "out")
