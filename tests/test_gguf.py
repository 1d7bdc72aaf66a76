"""Models in GGUF and of Ollama: converted like their originals, in little memory."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_lsg

from lsgcli.models.manifest import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HAS_ALL = all(map(importlib.util.find_spec, ("torch", "transformers", "gguf")))
pytestmark = [
    pytest.mark.skipif(
        not HAS_ALL, reason="needs PyTorch, Transformers and gguf: pip install 'lsg[convert]'"
    ),
    pytest.mark.filterwarnings("ignore"),  # theirs
]
PAIR = ("--from", "en", "--to", "de")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Path, Path]]:
    """A model in both forms: the directory and the file."""
    from gguf_files import make, pack

    folder = tmp_path_factory.mktemp("gguf")

    def both(architecture: str, packed: str) -> tuple[Path, Path]:
        directory, file = folder / architecture, folder / f"{architecture}-{packed}.gguf"
        if not directory.exists():
            make(directory, architecture)
        return directory, file if file.exists() else pack(directory, file, packed)

    return both


def divergence(directory: Path, converted: Path) -> float:
    """The mean KL between a model of Transformers' and one that was converted."""
    from lsgcli.backends import open_backend
    from lsgcli.core.backend import Placement
    from lsgcli.models.catalog import find
    from lsgcli.models.convert.check import answers, compare
    from lsgcli.models.convert.loading import Origin
    from lsgcli.models.convert.original import Original
    from lsgcli.models.infer.examples import EXAMPLES

    origin = Origin(directory)
    backend = open_backend(find(str(converted), "en", "de"), Placement("cpu", "float32"))
    backend.ready()
    original = Original(origin.model(), origin.tokenizer())
    return compare(original, answers(backend, EXAMPLES["en"])).mean_kl


@pytest.mark.parametrize(
    ("architecture", "packed", "most"),
    [
        ("qwen2", "F16", 1e-4),
        ("llama", "F16", 1e-4),
        ("llama", "BF16", 1e-2),
        ("qwen2", "Q8_0", 0.1),
    ],
)
def test_a_file_is_the_model_that_was_packed(
    made: Any, tmp_path: Path, architecture: str, packed: str, most: float
) -> None:
    directory, file = made(architecture, packed)
    out = tmp_path / "out"
    done = run_lsg(
        *("models", "convert", file, "--output", out, *PAIR, "--quantization", "float32"),
        *("--no-try",),
    )
    assert done.code == 0, done.stderr
    assert done.text.startswith(f"{out}: KL to the original")
    assert divergence(directory, out) < most
    manifest: Any = load(out)
    assert manifest.licence == "cc0-1.0"
    assert set(manifest.prompt.end) == {"<|endoftext|>", "<|im_end|>"}
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_file_goes_where_pulled_models_are(made: Any, tmp_path: Path) -> None:
    _, file = made("qwen2", "F16")
    done = run_lsg(
        *("models", "convert", file, *PAIR, "--no-compare", "--no-try"), LSG_HOME=str(tmp_path)
    )
    assert done.code == 0, done.stderr
    assert done.text == f"{tmp_path / 'models' / 'qwen2-F16'}\n"
    assert "comparing" not in done.stderr
    translate = ("translate", "--model", "qwen2-F16", "--from", "en", "--to", "de")
    assert run_lsg(*translate, stdin=b"Good morning\n", LSG_HOME=str(tmp_path)).code == 0


def test_few_bits_are_told_of(made: Any, tmp_path: Path) -> None:
    _, file = made("qwen2", "Q4_0")
    options = ("--output", tmp_path / "out", *PAIR, "--no-compare", "--no-try")
    done = run_lsg("models", "convert", file, *options)
    assert done.code == 0, done.stderr
    assert "its weights have 4.6 bits" in done.stderr


def store(folder: Path, file: Path, name: str, **more: str) -> None:
    """Lay out a model as Ollama does."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "blobs").mkdir(parents=True)
    os.link(file, folder / "blobs" / f"sha256-{digest}")
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"},
        *({"mediaType": kind, "digest": digest} for kind, digest in more.items()),
    ]
    manifest = folder / "manifests" / "registry.ollama.ai" / name
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))


@pytest.mark.parametrize(
    ("name", "below", "kept"),
    [
        ("pocket", "library/pocket/latest", "pocket"),
        ("pocket:1b", "library/pocket/1b", "pocket-1b"),
        ("acme/pocket:1b", "acme/pocket/1b", "acme--pocket-1b"),
    ],
)
def test_a_model_of_ollama_s(made: Any, tmp_path: Path, name: str, below: str, kept: str) -> None:
    store(tmp_path / "ollama", made("qwen2", "F16")[1], below)
    around: dict[str, Any] = {
        "OLLAMA_MODELS": str(tmp_path / "ollama"),
        "LSG_HOME": str(tmp_path / "home"),
    }
    done = run_lsg("models", "convert", name, *PAIR, "--no-compare", "--no-try", **around)
    assert done.code == 0, done.stderr
    assert done.text == f"{tmp_path / 'home' / 'models' / kept}\n"


def test_what_ollama_has_and_cannot_be_converted(made: Any, tmp_path: Path) -> None:
    folder = tmp_path / "ollama"
    adapter: dict[str, Any] = {"application/vnd.ollama.image.adapter": "sha256:" + "0" * 64}
    store(folder, made("qwen2", "F16")[1], "library/tuned/latest", **adapter)
    around: dict[str, Any] = {"OLLAMA_MODELS": str(folder), "LSG_HOME": str(tmp_path / "home")}
    done = run_lsg("models", "convert", "tuned", **around)
    assert (done.code, "an adapter of another model" in done.stderr) == (1, True)
    done = run_lsg("models", "convert", "other:1b", **around)
    assert (done.code, "neither a directory, a GGUF file" in done.stderr) == (2, True)


@pytest.mark.parametrize("damage", ["short", "head", "text"])
def test_a_damaged_file(made: Any, tmp_path: Path, damage: str) -> None:
    data = made("qwen2", "F16")[1].read_bytes()
    file = tmp_path / "bad.gguf"
    file.write_bytes({"short": data[:-5000], "head": data[:2000], "text": b"no model"}[damage])
    done = run_lsg("models", "convert", file, "--output", tmp_path / "out")
    assert done.code == 1
    assert done.stderr.splitlines()[-1].startswith(f"lsg: error: {file}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "quantization", ["int8", "int8_float16", "int8_bfloat16", "int16", "float16", "float32"]
)
def test_weights_are_those_that_ctranslate2_writes(
    made: Any, tmp_path: Path, quantization: str
) -> None:
    """Rounded a few rows at a time they are the same to the byte."""
    from ctranslate2.converters import TransformersConverter

    from lsgcli.models.convert import streaming
    from lsgcli.models.convert.loading import Origin
    from lsgcli.models.convert.weights import convert_weights

    directory, _ = made("qwen2", "F16")
    config = json.loads((directory / "config.json").read_text())
    assert config["dtype"] == "float32"
    TransformersConverter(str(directory)).convert(str(tmp_path / "a"), quantization=quantization)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "BLOCK", 1000)
        convert_weights(Origin(directory), tmp_path / "b", quantization)
    assert (tmp_path / "a/model.bin").read_bytes() == (tmp_path / "b/model.bin").read_bytes()
