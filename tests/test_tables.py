"""Manifests and tables that a model may come with, written by somebody who means harm."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from conftest import run_lsg
from test_cli import check_error

from lsgcli import toml
from lsgcli.backends.encoder_decoder import has_start
from lsgcli.backends.pieces import read_names
from lsgcli.backends.vocabulary import SentencePieceVocabulary
from lsgcli.errors import LsgError, ManifestError, ModelError
from lsgcli.models import catalog, manifest, provenance, whisper
from lsgcli.models.infer.stored import StoredTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EMBEDDED = catalog.embedded()["en-de"]
MANIFEST = (EMBEDDED / "manifest.toml").read_text()
DEEP = "[" * 100_000


def changed(old: str, new: str) -> str:
    """The embedded model's manifest with a change."""
    assert old in MANIFEST
    return MANIFEST.replace(old, new, 1)


def line(start: str) -> str:
    return next(each for each in MANIFEST.splitlines() if each.startswith(start))


CASES = {
    "dots": ("a" + ".a" * 20_000 + " = 1\n" + MANIFEST, "a key of more than 16 parts"),
    "quoted dots": (
        '"a"' + ' . "a.b"' * 20_000 + " = 1\n" + MANIFEST,
        "a key of more than 16 parts",
    ),
    "a table of dots": (MANIFEST + "\n[a" + ".a" * 20_000 + "]\n", "more than 16 parts"),
    "brackets": ("a = " + DEEP + "\n" + MANIFEST, "more than 16 brackets in brackets"),
    "braces": ("a = " + "{a=" * 50_000 + "\n" + MANIFEST, "more than 16 brackets"),
    "large": (MANIFEST + "#" * toml.LARGEST, f"more than {toml.LARGEST} characters"),
    "digits": (
        changed("version = 1", "version = " + "1" * 5000),
        "a number of more than 100 digits",
    ),
    "a large number": (
        changed("max_source_tokens = 96", "max_source_tokens = " + "9" * 90),
        "max_source_tokens",
    ),
    "version": (changed("version = 1", "version = [[1]]"), "version is"),
    "no version": (changed("version = 1", ""), "version is None"),
    "parts": (
        changed(line("parts"), f"parts = {json.dumps(['x'] * 200_000)}"),
        "prompt.parts",
    ),
    "a long part": (
        changed(line("parts"), f"parts = {json.dumps(['x' * 20_000, '{source}', '{target}'])}"),
        "prompt.parts",
    ),
    "not a number": (changed(line("delta"), "delta = nan"), "delta"),
    "negative": (changed(line("alpha"), "alpha = -0.1"), "alpha"),
    "text for a number": (changed(line("alpha"), 'alpha = "0.1"'), "alpha"),
    "no checksum": (
        re.sub(', sha256 = "060d34.*"', "", MANIFEST),
        'files."spm.model": Object missing required field `sha256`',
    ),
    "no size": (changed("size = 378243, ", ""), 'files."spm.model": .*missing .*`size`'),
    "a path": (changed('"spm.model" = {', '"../spm.model" = {'), "must be a plain file name"),
    "an odd checksum": (changed('sha256 = "060d34', 'sha256 = "060D34'), "spm.model.*sha256"),
    "files": (MANIFEST[: MANIFEST.index("[files")] + "files = 3\n", "files"),
    "a directory": (changed('"en-de"', '"en-../de"'), "directions"),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    for file in EMBEDDED.iterdir():
        if file.is_file():
            (directory / file.name).symlink_to(file)
    (directory / "manifest.toml").unlink()
    return directory


@pytest.mark.parametrize("name", CASES)
def test_a_manifest_that_is_refused(model: Path, name: str) -> None:
    text, said = CASES[name]
    (model / "manifest.toml").write_text(text)
    with pytest.raises(ManifestError, match=f"^{model}/manifest.toml: .*{said}") as found:
        manifest.load(model)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 600 + len(str(model))


def test_it_is_told_in_a_line(model: Path) -> None:
    (model / "manifest.toml").write_text(CASES["dots"][0])
    result = run_lsg("translate", "--to", "de", "--model", model)
    check_error(result, 2, f"{model}/manifest.toml: a key of more than 16 parts")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00", b"version = 1\r"])
def test_bytes_that_are_no_text(model: Path, data: bytes) -> None:
    (model / "manifest.toml").write_bytes(data)
    with pytest.raises(LsgError, match=f"^{model}/manifest.toml: "):
        manifest.load(model)


def test_limits_are_far_off() -> None:
    """At the limit it is read, beyond it is not."""
    parts, beyond = toml.DEEPEST, toml.DEEPEST + 1
    assert toml.parse(".".join("a" * parts) + " = 1")
    assert toml.parse("a = " + "1" * toml.LONGEST)
    assert toml.parse("a = " + "[" * parts + "]" * parts)
    assert toml.parse("#" * toml.LARGEST) == {}
    assert toml.parse('a = "' + "." * 1000 + "[" * 1000 + '" # ' + "." * 1000 + "[" * 1000)
    assert toml.parse("a = '''\n" + "a." * 1000 + "\n'''")
    for text in (
        ".".join("a" * beyond) + " = 1",
        "a = " + "[" * beyond + "]" * beyond,
        "#" * (toml.LARGEST + 1),
        "a = 1" + "1" * toml.LONGEST,
    ):
        with pytest.raises(ValueError, match="more than"):
            toml.parse(text)


def with_parts(count: int) -> str:
    return changed(
        line("parts"), f"parts = {json.dumps(['x'] * (count - 2) + ['{source}', '{target}'])}"
    )


@pytest.mark.parametrize(
    ("at", "beyond"),
    [
        (with_parts(100), with_parts(101)),
        (changed('"</s>"', f'"{"x" * 10_000}"'), changed('"</s>"', f'"{"x" * 10_001}"')),
        (changed("= 96", "= 100_000"), changed("= 96", "= 100_001")),
        (
            changed("capitals = false", f"placeholders = {json.dumps(['x'] * 100)}").replace(
                'placeholders = ["{0}", "{1}", "{2}", "{3}"]\n', ""
            ),
            changed("capitals = false", f"placeholders = {json.dumps(['x'] * 101)}").replace(
                'placeholders = ["{0}", "{1}", "{2}", "{3}"]\n', ""
            ),
        ),
    ],
)
def test_limits_of_a_manifest(model: Path, at: str, beyond: str) -> None:
    (model / "manifest.toml").write_text(at)
    assert manifest.load(model)
    (model / "manifest.toml").write_text(beyond)
    with pytest.raises(ManifestError, match=f"^{model}/manifest.toml: "):
        manifest.load(model)


GROWING: dict[str, Callable[[int], str]] = {
    "keys": lambda n: "".join(f"k{i} = 1\n" for i in range(n)),
    "tables": lambda n: "".join(f"[t.a{i}]\nb = 1\n" for i in range(n // 2)),
    "quotes": lambda n: "'" * n * 10,
    "triple": lambda n: 'a = """' + '""\\"' * n,
    "escapes": lambda n: 'a = "' + "\\n" * n * 5 + '"',
    "numbers": lambda n: "a = [" + "0.5," * n + "]",
    "blanks": lambda n: "a" + " " * n * 10,
    "a word": lambda n: "a" * n * 10 + "=1",
    "dots": lambda n: "." * n * 10,
}


@pytest.mark.parametrize("name", GROWING)
def test_time_is_linear(name: str) -> None:
    """Four times as much takes four times as long, or at most ten."""

    def seconds(size: int) -> float:
        text = GROWING[name](size)
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            with suppress(ValueError):
                toml.parse(text)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(16_000) < 10 * seconds(4_000) + 0.01


TABLES = {
    "config.json": [
        DEEP,
        "[]",
        "{",
        '{"decoder_start_token": ' + DEEP,
        '{"a": ' + "9" * 5000 + "}",
    ],
    "tokenizer_config.json": [DEEP, "[]", '"x"', "{" * 100_000, "\udcff"],
    "shared_vocabulary.json": ['{"a": 1}', "[1, 2]", '"x"', "3", "null", DEEP, "[[]]"],
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_are_none(tmp_path: Path, name: str) -> None:
    read = {
        "config.json": has_start,
        "tokenizer_config.json": StoredTokenizer,
        "shared_vocabulary.json": lambda folder: read_names(folder, "source"),
    }[name]
    for text in TABLES[name]:
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(ModelError, match=f"^{tmp_path / name}: "):
            read(tmp_path)


WHISPERS = [
    ("config.json", DEEP),
    ("config.json", "[]"),
    ("config.json", '{"suppress_ids": [], "lang_ids": [99999999]}'),
    ("config.json", '{"suppress_ids": [], "lang_ids": {"a": 1}}'),
    ("config.json", '{"suppress_ids": [], "lang_ids": 7}'),
    ("vocabulary.json", '{"a": 1}'),
    ("vocabulary.json", DEEP),
]


@pytest.mark.parametrize(("name", "text"), WHISPERS)
def test_a_whisper_that_is_none(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "config.json").write_text('{"suppress_ids": [], "lang_ids": [0]}')
    (tmp_path / "vocabulary.json").write_text('["<|en|>", "a"]')
    assert whisper.manifest(tmp_path).directions == ["en-en"]
    (tmp_path / name).write_text(text)
    with pytest.raises(ManifestError, match=f"^{tmp_path}"):
        whisper.manifest(tmp_path)


@pytest.mark.parametrize("text", ["a." * 20_000 + "b = 1", "a = " + DEEP, "[files.x]\nsize = 1\n"])
def test_a_record_that_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pulled.toml").write_text(text)
    with pytest.raises(ManifestError, match=f"^{tmp_path}/pulled.toml: "):
        provenance.load(tmp_path)


def test_a_model_that_is_odd_does_not_stop_the_others(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name, text in {"a--a": "a = " + DEEP, "a--b": "\udcff"}.items():
        (models / name).mkdir(parents=True)
        (models / name / "model.bin").touch()
        (models / name / "manifest.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run_lsg("translate", "--to", "de", stdin=b"The house.\n", LSG_HOME=str(tmp_path))
    assert (result.code, result.stderr) == (0, "")
    assert len(run_lsg("models", "list", LSG_HOME=str(tmp_path)).lines) > 2


def test_a_sentencepiece_model_with_a_flipped_bit(tmp_path: Path) -> None:
    """It is refused, or works: nothing in between, and no pieces that are no text."""
    file = tmp_path / "spm.model"
    shutil.copy(EMBEDDED / "spm.model", file)
    data = bytearray(file.read_bytes())
    refused = 0
    for at in range(0, len(data), len(data) // 100):
        data[at] ^= 0x40
        file.write_bytes(data)
        data[at] ^= 0x40
        try:
            vocabulary = SentencePieceVocabulary(file)
        except ModelError:
            refused += 1
            continue
        vocabulary.encode_word("house", False)
        assert any(vocabulary.bytes(n) for n in range(vocabulary.size))
    assert refused > 1
