"""The command line: every mistake gives one clear line and its exit code, before input is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DEADLINE, LSG, ROOT, Result, environment, run_lsg

from lsgcli import __version__
from lsgcli.models.catalog import embedded

TO = ("translate", "--to", "de")
EMBEDDED = embedded()["en-de"]


def run_unread(*arguments: str | Path) -> Result:
    """Run with a standard input that stays open and empty: reading it would never end."""
    out, into = os.pipe()
    try:
        done = subprocess.run(
            [*LSG, *map(str, arguments)],
            stdin=out,
            capture_output=True,
            timeout=DEADLINE,
            env=environment(),
        )
    finally:
        os.close(out)
        os.close(into)
    return Result(done.returncode, done.stdout, done.stderr.decode())


def check_error(result: Result, code: int, *patterns: str) -> None:
    """There is one line, it is an error, and it says all this."""
    assert result.code == code, result.stderr
    assert result.stdout == b""
    assert re.fullmatch(r"lsg: error: [^\n]+\n", result.stderr), result.stderr
    for pattern in patterns:
        assert re.search(pattern, result.stderr), (pattern, result.stderr)


BAD = {
    "": "Missing command",
    "tranlsate": "tranlsate",
    "--bogus": "--bogus",
    "translate": "--to",
    "translate --to de --bogus": "--bogus",
    "translate --to": "--to",
    "translate --to de --policy foo": "lsg.*wait-k.*local-agreement.*hold-n.*offline",
    "translate --to de --latency slow": "low.*medium.*high",
    "translate --to de --segment word": "line.*sentence",
    "translate --to de --format xml": "text.*jsonl",
    "translate --to de --device tpu": "auto.*cpu.*cuda",
    "translate --to de --color blue": "auto.*always.*never",
    "translate --to de --kl-direction up": "forward.*reverse",
    "translate --to de --alpha 1.5": "--alpha",
    "translate --to de --alpha x": "--alpha",
    "translate --to de --alpha nan": "--alpha",
    "translate --to de --delta -1": "--delta",
    "translate --to de --delta nan": "--delta",
    "translate --to de --lower 0": "--lower",
    "translate --to de --upper -1": "--upper",
    "translate --to de --policy wait-k -k 0": "-k",
    "translate --to de --policy hold-n -n 0": "-n",
    "translate --to de --threads -1": "--threads",
    "translate --to de --batch-size 0": "--batch-size",
    "translate --to de --pace -1": "--pace",
    "translate --to de --pace nan": "--pace",
    "translate --to de --encoding klingon": "--encoding 'klingon'.*utf-16.*latin-1",
    "translate --to de --encoding hex": "--encoding 'hex'",
    "translate --to de --idle -1": "--idle",
    "translate --to de --idle nan": "--idle",
    "translate --to de --protect-regex (": r"--protect-regex '\('",
    "translate --to de --no-protect --protect-regex x": "--protect-regex.*--no-protect",
    "translate --to de --compute-type int3": "int3.*int8",
    "translate --to de -k 3": "-k belongs to --policy wait-k, not lsg",
    "translate --to de -n 3": "-n belongs to --policy local-agreement and hold-n, not lsg",
    "translate --to de --policy wait-k --delta 1": "--delta belongs to --policy lsg and lsg-words,",
    "translate --to de --policy wait-k --latency low": "--latency belongs to --policy lsg",
    "translate --to de --policy offline --alpha 1": "--alpha belongs to --policy lsg",
    "translate --to de --policy offline -L 1": "--lower belongs to --policy lsg",
    "translate --to de --policy hold-n -U 1": "--upper belongs to --policy lsg",
    "translate --to de --policy hold-n --kl-direction reverse": "--kl-direction belongs",
    "translate --to xx": r"\*-xx.*en-de \(en-de de-en\).*--model DIR",
    "translate --from fr --to de": "fr-de.*en-de",
    "translate --to de --model nothing": "no model 'nothing'.*en-de",
    "translate --to fr --model en-de": "does not translate.*fr.*en-de",
    "translate --to de --model /": "/.*manifest.toml",
}


@pytest.mark.parametrize("line", BAD)
def test_a_wrong_command_line(line):
    check_error(run_unread(*line.split()), 2, BAD[line])


MISSING = {
    "translate --to de /nonexistent/file": "/nonexistent/file: No such file",
    "translate --to de - /nonexistent/file": "/nonexistent/file: No such file",
    "translate --to de --stats-json /nonexistent/file": "file: cannot be written: No such file",
}


@pytest.mark.parametrize("line", MISSING)
def test_a_missing_file(line):
    check_error(run_unread(*line.split()), 1, MISSING[line])


def test_a_directory_is_no_input():
    check_error(run_unread(*TO, "/"), 1, "Is a directory")


# ---------------------------------------------------------------- models


@pytest.fixture
def model(tmp_path) -> Path:
    """A copy of the embedded model."""
    return Path(shutil.copytree(EMBEDDED, tmp_path / "model"))


def test_a_directory_is_a_model(model):
    result = run_lsg(*TO, "--model", model, stdin=b"The house is small.\n")
    assert (result.code, result.text) == (0, "Das Haus ist klein.\n")


# What is replaced in the manifest by what, and what the error must name.
MANIFESTS = {
    "syntax": ("version = 1", "version = = 1", "manifest.toml.*line"),
    "no version": ("version = 1", "", "version is None, this lsg reads version 1"),
    "version": ("version = 1", "version = 2", "version is 2, this lsg reads version 1"),
    "version of another type": ("version = 1", 'version = "1"', "version is '1'"),
    "unknown field": ("version = 1", "version = 1\nfoo = 3", "unknown field `foo`"),
    "unknown field in a table": ("[policy]\n", "[policy]\nfoo = 3\n", "`foo`.*policy"),
    "missing field": ("licence =", "# licence =", "`licence`"),
    "kind": ('kind = "decoder-only"', 'kind = "encoder"', "kind"),
    "direction": ('["en-de", "de-en"]', '["English"]', "directions"),
    "no direction": ('["en-de", "de-en"]', "[]", "directions"),
    "type": ("max_source_tokens = 96", 'max_source_tokens = "96"', "`max_source_tokens`"),
    "range": ("max_source_tokens = 96", "max_source_tokens = 0", "`max_source_tokens`"),
    "alpha": ("alpha = ", "alpha = 1", "`policy.alpha`"),
    "delta": ("delta = ", "delta = -", "`policy.delta`"),
    "tokenizer": ('"sentencepiece"', '"bpe"', "`tokenizer.type`"),
    "no source": ('"{source}", ', "", "{source}"),
    "no target": (', "{target}"]', "]", "{target}"),
    "target first": ('"{source}", "<sep>", "{target}"', '"{target}", "{source}"', "{target}"),
    "slot in a text": ('"{source}"', '"{source}", "x {source}"', "part of its own"),
    "no end": ('end = ["</s>"]', "end = []", "`prompt.end`"),
    "unknown end": ('end = ["</s>"]', 'end = ["<no>"]', "<no>"),
    "file outside": ('"spm.model"\n', '"../spm.model"\n', r"\.\./spm\.model.*plain file name"),
    "absolute file": ('"spm.model"\n', '"/etc/passwd"\n', "/etc/passwd.*plain file name"),
    "checked file outside": ('"config.json" =', '"../config.json" =', "plain file name"),
    "parent": ('"spm.model"\n', '".."\n', "plain file name"),
    "checksum": ('sha256 = "', 'sha256 = "xx', "sha256"),
    "not UTF-8": ("version = 1", "version = 1 # \udcff", "manifest.toml"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_wrong_manifest(model, case):
    old, new, message = MANIFESTS[case]
    file = model / "manifest.toml"
    text = file.read_text()
    assert old in text
    file.write_bytes(text.replace(old, new, 1).encode(errors="surrogateescape"))
    check_error(run_unread(*TO, "--model", model), 2, re.escape(str(model)), message)


def test_a_model_without_manifest(model):
    (model / "manifest.toml").unlink()
    check_error(run_unread(*TO, "--model", model), 2, "not a model directory.*manifest.toml")


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("name", ["model.bin", "spm.model", "vocabulary.json", "config.json"])
@pytest.mark.parametrize("damage", [Path.unlink, flip])
def test_a_damaged_model(model, name, damage):
    damage(model / name)
    check_error(run_unread(*TO, "--model", model), 1, name)


def test_a_truncated_model(model):
    truncate(model / "model.bin")
    check_error(run_unread(*TO, "--model", model), 1, "model.bin: .* bytes instead of")


UNCHECKED = {
    "spm.model": (b"nonsense", "not a SentencePiece model"),
    "model.bin": (b"nonsense", "model"),
    "vocabulary.json": (b"[1", "cannot load the model"),
    "config.json": (b"{", "config|load"),
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_model_that_does_not_load(model, name):
    """Even if the manifest promises nothing about its files."""
    manifest = model / "manifest.toml"
    manifest.write_text(re.sub(r"(?s)\[files\].*", "[files]\n", manifest.read_text()))
    data, message = UNCHECKED[name]
    (model / name).write_bytes(data)
    result = run_lsg(*TO, "--model", model, stdin=b"The house is small.\n")
    check_error(result, 1, message)


# ---------------------------------------------------------------- help and debugging


def test_debug_shows_the_traceback():
    quiet = run_unread(*TO, "--model", "nothing")
    loud = run_unread(*TO, "--model", "nothing", "--debug")
    assert loud.code == 2
    assert loud.stderr.startswith(quiet.stderr)
    assert "Traceback (most recent call last)" in loud.stderr
    assert "ModelNotFoundError" in loud.stderr


def test_a_message_is_one_line_whatever_is_in_it():
    check_error(run_unread("translate", "--to", "a\nb"), 2, "a b")


def test_version():
    result = run_lsg("--version")
    assert (result.code, result.text, result.stderr) == (0, f"lsg {__version__}\n", "")


@pytest.mark.parametrize("line", ["", "translate", "models", "models pull"])
def test_help_is_a_command_too(line):
    asked = run_lsg("help", *line.split())
    assert asked.code == 0
    assert asked.stdout == run_lsg(*line.split(), "--help").stdout


def test_help_on_what_there_is_not():
    check_error(run_lsg("help", "tranlsate"), 2, "tranlsate")


def test_models_alone_lists_them():
    assert run_lsg("models").stdout == run_lsg("models", "list").stdout


@pytest.mark.parametrize(
    "name", ["DE", "de_DE", "de-AT", "de_DE.UTF-8", "german", "Deutsch", "deu"]
)
def test_a_language_by_its_name_or_as_a_locale(name):
    result = run_lsg("translate", "--to", name, "--from", "English", stdin=b"The house is small.\n")
    assert (result.code, result.text) == (0, "Das Haus ist klein.\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_no_byte_order_mark(encoding):
    text = "Good morning.\n".encode(f"{encoding}-le")
    result = run_lsg(*TO, "--encoding", encoding, stdin=text)
    check_error(result, 1, f"no byte order mark; say which with --encoding {encoding}-le")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_characters_are_named(encoding):
    data = "The house is small.\n".encode(encoding)
    result = run_lsg(*TO, stdin=data)
    check_error(result, 1, f"the input is {encoding.upper()}, not UTF-8; add --encoding {encoding}")
    result = run_lsg(*TO, "--encoding", encoding, stdin=data)
    assert (result.code, result.text) == (0, "Das Haus ist klein.\n")


def test_other_encodings():
    source = "Grüße\n"  # one word, which is copied
    copied = (*TO, "--protect-regex", ".+")
    for encoding in ("latin-1", "cp1252", "utf8", "utf-16"):
        without_end = source.strip().encode(encoding)
        result = run_lsg(*copied, "--encoding", encoding, stdin=without_end)
        assert (result.code, result.text, result.stderr) == (0, source, "")
    odd = source.encode("utf-16") + b"\n"
    result = run_lsg(*copied, "--encoding", "utf-16", stdin=odd)
    assert result.text == source + "\ufffd\n"
    assert result.stderr.count("not valid UTF-16") == 1
    assert run_lsg(*copied, "--encoding", "utf-16", "--strict", stdin=odd).code == 1


@pytest.mark.parametrize("arguments", [("--help",), ("translate", "--help"), ("translate", "-h")])
def test_help_lists_the_exit_codes(arguments):
    result = run_lsg(*arguments)
    assert (result.code, result.stderr) == (0, "")
    words = " ".join(result.text.split())
    assert "Exit codes: 0" in words
    for code in ("1 ", "2 ", "130 ", "143 "):
        assert f"; {code}" in words
    assert "\x1b" not in result.text


@pytest.mark.parametrize(
    "line",
    [
        *("--help", "--version", "--show-completion bash", "translate --help", "doctor --offline"),
        *("models list", "models list --json", "models info en-de", "models check en-de"),
        "models path en-de",
    ],
)
def test_a_reader_that_has_gone_is_no_failure(line):
    out, into = os.pipe()
    os.close(out)
    # Typer looks for a shell among the parents, of which there may be none here.
    named = environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    done = subprocess.run([*LSG, *line.split()], stdout=into, stderr=subprocess.PIPE, env=named)
    os.close(into)
    assert (done.returncode, done.stderr) == (0, b"")


HEAVY = {
    "ctranslate2",
    "numpy",
    "sentencepiece",
    "tokenizers",
    "sentencex",
    "huggingface_hub",
    "lsgcli.backends.decoder_only",
}


@pytest.mark.parametrize(
    "line",
    [
        *("--help", "--version", "translate --help", "translate --bogus", "translate --to xx"),
        *("models --help", "models list", "models path en-de", "doctor --help"),
    ],
)
def test_what_needs_no_model_imports_none(line):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lsgcli", *line.split()],
        capture_output=True,
        text=True,
        env=environment(),
    )
    imported = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "lsgcli.cli.app" in imported
    assert not imported & HEAVY


def test_the_installed_command_is_the_module():
    command = Path(sys.executable).parent / "lsg"
    if not command.exists():
        pytest.skip("lsg is not installed beside this Python")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.stdout == f"lsg {__version__}\n"


def test_works_from_any_directory(tmp_path):
    done = subprocess.run(
        [*LSG, *TO],
        input=b"The house is small.\n",
        capture_output=True,
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
    )
    assert done.stdout.decode() == "Das Haus ist klein.\n"
