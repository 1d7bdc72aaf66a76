"""COMET in a process beside: what it is asked, what becomes of the answer, and what can be wrong.

unbabel-comet cannot be installed beside lsg. Here an environment of its own has a library of that
name whose model scores by the words that two texts share; the worker, the process and all that is
made of the scores are real. The real one runs too if ``LSG_COMET_PYTHON`` names the Python of an
environment that has unbabel-comet, and ``LSG_COMET_MODEL`` a checkpoint.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from conftest import run_lsg

from lsgcli.evaluation.logs import Instance, write_omnisteval, write_simuleval
from lsgcli.evaluation.segments import Segment, write_segments

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = """
import os
from types import SimpleNamespace

def load_from_checkpoint(path, local_files_only=False):
    assert local_files_only and os.environ["HF_HUB_OFFLINE"] == "1"
    print("a line on stdout, as libraries write")
    if "broken" in path:
        raise OSError("We could not connect\\nto the Hub")
    return SimpleNamespace(predict=predict)

def predict(samples, **options):
    def score(each):
        words, said = set(each["mt"].split()), set(each["ref"].split())
        return len(words & said) / len(words | said) if each["src"] else -1.0
    return SimpleNamespace(scores=[score(each) for each in samples])
"""
SENTENCES = [
    ("ich sehe das Haus", "i see the house"),
    ("ich sehe den Hund", "i see the dog"),
    ("das Haus ist klein", "the house is small"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment with the library."""
    venv = tmp_path_factory.mktemp("comet") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (packages,) = venv.glob("lib/python*/site-packages")
    for name, text in {"comet": LIBRARY, "torch.cuda": "is_available = lambda: False"}.items():
        package = packages.joinpath(*name.split("."))
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(text)
    (packages / "torch" / "__init__.py").write_text("from . import cuda")
    about = packages / "unbabel_comet-2.2.7.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: unbabel-comet\nVersion: 2.2.7\n")
    return venv / "bin" / "python"


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    """Two systems, the second with an error more, and a checkpoint."""
    monkeypatch.chdir(tmp_path)
    worse = [text.replace("sehe", "höre") for text, _ in SENTENCES]
    for name, texts in {"a": [text for text, _ in SENTENCES], "b": worse}.items():
        instances = [
            Instance(n, text, tuple(range(1, 5)), 4, "text", reference, source)
            for n, (text, (reference, source)) in enumerate(zip(texts, SENTENCES, strict=True))
        ]
        write_simuleval(tmp_path / name, instances, source_type="text")
    for name in ("wmt22", "broken"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        (tmp_path / name / "checkpoints" / "model.ckpt").write_bytes(b"weights")
    # A module of this name where the command runs is not the library.
    (tmp_path / "comet.py").write_text("raise SystemExit")
    return tmp_path


def options(python, model="wmt22"):
    metrics = ("--quality-metrics", "BLEU,COMET", "--latency-metrics", "AL")
    return (*metrics, "--comet-model", model, "--comet-python", python)


@pytest.mark.parametrize("model", ["wmt22", "wmt22/checkpoints/model.ckpt"])
def test_scores(here, python, model):
    result = run_lsg("eval", "score", "a", "b", *options(python, model), "--format", "json")
    assert (result.code, result.stderr) == (0, "")
    a, b = (each["scores"]["COMET"] for each in json.loads(result.text))
    assert (a["value"], a["n"], a["unit"]) == (1.0, 3, "")
    assert b["value"] == pytest.approx((3 / 5 + 3 / 5 + 1) / 3)
    checkpoint = sha256(b"weights").hexdigest()[:12]
    assert a["signature"] == f"COMET|model:wmt22|sha256:{checkpoint}|unbabel-comet:2.2.7"


def test_its_signature_is_in_the_table_and_its_column_in_tsv(here, python):
    text = run_lsg("eval", "score", "a", "b", *options(python)).text
    assert "COMET|model:wmt22" in text
    header = run_lsg("eval", "score", "a", *options(python), "--format", "tsv").lines[0]
    assert header.split("\t")[6:9] == ["BLEU", "COMET", "AL"]


def test_compare_tests_it(here, python):
    result = run_lsg(
        "eval", "compare", "a", "b", *options(python), "--test", "randomization", "--format", "json"
    )
    (comparison,) = json.loads(result.text)["comparisons"]
    found = comparison["metrics"]["COMET"]
    assert found["difference"] == pytest.approx(-0.8 / 3)
    assert found["p_value"] == pytest.approx(0.5, abs=0.03)  # two swaps of two are as extreme


def test_speech_has_no_source_but_what_is_said(here, python):
    talks = [
        Instance(0, "ich sehe das Haus das Haus ist klein", tuple(range(8)), 9000.0, "speech",
                 source="talk.wav"),
    ]  # fmt: skip
    write_omnisteval(here / "log", talks)
    segments = [Segment("talk.wav", 0, 4, SENTENCES[0][0]), Segment("talk.wav", 4, 5, "klein")]
    write_segments(here / "talks.tsv", segments)
    asked = ("eval", "score", "log", "--segments", "talks.tsv", *options(python))
    result = run_lsg(*asked)
    assert (result.code, "COMET reads the source; give --transcript FILE" in result.stderr) == (
        1,
        True,
    )
    (here / "said").write_text("i see the house\nsmall\n")
    result = run_lsg(*asked, "--transcript", "said", "--format", "json")
    assert 0 < json.loads(result.text)[0]["scores"]["COMET"]["value"] < 1
    (here / "said").write_text("i see the house\n")
    result = run_lsg(*asked, "--transcript", "said")
    assert (result.code, "said: ends before sentence 1" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"--comet-model": "Unbabel/wmt22-comet-da"}, 2, "is no checkpoint of COMET"),
        ({"--comet-python": "no/python"}, 2, "--comet-python: no/python does not run"),
        ({"--comet-python": sys.executable}, 2, "has no unbabel-comet"),
        ({"--comet-python": "/bin/false"}, 1, "COMET ended with 1"),
        (
            {"--comet-model": "broken"},
            1,
            "COMET: OSError: We could not connect to the Hub; nothing",
        ),
        ({"--quality-metrics": "BLEU"}, 2, "need --quality-metrics COMET"),
    ],
)
def test_refused(here, python, changes, code, message):
    given = options(python)
    asked = dict(zip(given[::2], given[1::2], strict=True)) | changes
    result = run_lsg("eval", "score", "a", *(each for pair in asked.items() for each in pair))
    assert (result.code, result.text) == (code, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_checkpoint(here):
    result = run_lsg("eval", "score", "a", "--quality-metrics", "COMET")
    assert (result.code, "COMET needs a checkpoint: --comet-model" in result.stderr) == (2, True)


@pytest.mark.skipif("LSG_COMET_MODEL" not in os.environ, reason="needs unbabel-comet, a checkpoint")
def test_the_real_one(here):
    asked = options(os.environ["LSG_COMET_PYTHON"], os.environ["LSG_COMET_MODEL"])
    result = run_lsg("eval", "compare", "a", "b", *asked, "--format", "json")
    assert result.code == 0, result.stderr
    (comparison,) = json.loads(result.text)["comparisons"]
    assert comparison["metrics"]["COMET"]["a"] != comparison["metrics"]["COMET"]["b"]
