"""``lsg models`` without its pull, and ``lsg doctor``; model directories that mean harm."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from conftest import DEADLINE, LSG, Result, environment, run_lsg
from test_cli import check_error, flip, truncate

from lsgcli.backends.probe import specification
from lsgcli.errors import ModelError
from lsgcli.models import manifest, provenance, registry, store
from lsgcli.models.catalog import embedded
from lsgcli.models.files import File, sha256, verify
from lsgcli.policy.levels import Level

if TYPE_CHECKING:
    from collections.abc import Callable

EMBEDDED = embedded()["en-de"]
NAME = "acme/seed"
TO = ("translate", "--to", "de")
HOUSE = b"The house is small.\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def model(home) -> Path:
    """A model as it is after a pull, without a manifest's checksums."""
    directory: Path = home / "models" / "acme--seed"
    shutil.copytree(EMBEDDED, directory)
    text = (directory / "manifest.toml").read_text()
    (directory / "manifest.toml").write_text(text.partition("[files]")[0] + "[files]\n")
    files = {
        file.name: File(size=file.stat().st_size, sha256=sha256(file))
        for file in directory.iterdir()
        if file.name != "manifest.toml"
    }
    record = provenance.Pulled(
        repository=NAME, revision="", commit="0" * 40, licence="mit", files=files
    )
    provenance.save(directory, record)
    return directory


def lsg(home: Path, *arguments: str | Path, stdin: bytes = b"", **changes: Any) -> Result:
    return run_lsg(*arguments, stdin=stdin, LSG_HOME=str(home), **changes)


# ---------------------------------------------------------------- the registry


def test_the_registry_keeps_to_its_schema():
    entries = registry.load()
    assert len(entries) > 40
    for alias, entry in entries.items():
        assert store.is_name(alias), alias
        assert "/" not in alias
        assert store.is_name(entry.repository), entry.repository
        assert entry.tried == bool(entry.wheels)  # what came from there was used


def test_no_alias_is_embedded():
    assert not registry.load().keys() & embedded().keys()


@pytest.mark.parametrize("field", ["kind", "form", "megabytes", "revision", "repository", "typo"])
def test_the_schema_refuses(field):
    entry = msgspec.to_builtins(registry.load()["tiny"])
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(entry | {field: "x y"}, registry.Entry)


def test_the_whispers_are_those_of_faster_whisper():
    utils = pytest.importorskip("faster_whisper.utils")
    ours = {
        alias: entry.repository
        for alias, entry in registry.load().items()
        if entry.kind == "whisper"
    }
    theirs = {name: of for name, of in utils._MODELS.items() if name not in embedded()}
    assert ours == theirs


# ---------------------------------------------------------------- list, info, path, rm


def test_list_in_a_pipe(home, model):
    lines = [line.split("\t") for line in lsg(home, "models", "list").lines]
    assert lines[0] == ["name", "here", "size", "kind", "languages", "licence"]
    rows = {line[0]: line[1:] for line in lines[1:]}
    assert rows["en-de"][:4] == ["embedded", "11", "decoder-only", "en-de de-en"]
    assert rows["tiny"] == ["no", "75", "whisper", "99 languages", "MIT"]
    assert rows["qwen3-4b"][0] == "to convert"
    assert rows[NAME] == ["yes", "11", "decoder-only", "en-de de-en", "mit"]


def test_list_as_json(home, model):
    records = [json.loads(line) for line in lsg(home, "models", "list", "--json").lines]
    found = {record["name"]: record for record in records}
    assert found[NAME]["directory"] == str(model)
    assert found["large"]["repository"] == "Systran/faster-whisper-large-v3"
    assert found["nllb-200-600m"]["note"]


def on_a_terminal(*arguments: str, answer: bytes, **changes: str) -> tuple[int, bytes]:
    """Run with all three streams on a terminal; give what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*LSG, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**changes)
    )
    os.close(theirs)
    os.write(ours, answer)
    shown = b""
    while True:
        try:
            data = os.read(ours, 1 << 16)
        except OSError:  # Linux's end of a terminal
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return process.wait(DEADLINE), shown


def test_list_on_a_terminal(home):
    code, shown = on_a_terminal("models", "list", answer=b"", LSG_HOME=str(home), COLUMNS="150")
    assert code == 0
    assert b"\t" not in shown
    assert "distil-large-v3.5" in shown.decode()


def test_info(home, model):
    lines = lsg(home, "models", "info", NAME).lines
    assert f"directory: {model}" in lines
    assert "  repository: acme/seed" in lines
    assert f"    sha256: {sha256(model / 'model.bin')}" in lines
    facts = json.loads(lsg(home, "models", "info", NAME, "--json").text)
    assert facts["files"]["model.bin"]["bytes"] == (model / "model.bin").stat().st_size


def test_path(home, model):
    assert lsg(home, "models", "path", NAME).text == f"{model}\n"
    assert lsg(home, "models", "path", "en-de").text == f"{EMBEDDED}\n"
    check_error(lsg(home, "models", "path", "tiny"), 2, "run lsg models pull tiny")
    check_error(lsg(home, *TO, "--model", "tiny"), 2, "run lsg models pull tiny")


def test_an_alias_finds_what_was_pulled(home, model):
    model.rename(model.parent / "Systran--faster-whisper-tiny")
    done = lsg(home, "models", "path", "tiny")
    assert done.text == f"{model.parent}/Systran--faster-whisper-tiny\n"


def test_rm(home, model):
    check_error(lsg(home, "models", "rm", NAME), 2, "add --yes")
    assert model.exists()
    result = lsg(home, "models", "rm", NAME, "--yes")
    assert (result.code, result.text) == (0, "")
    assert not model.exists()
    assert not any((home / "models" / ".removed").iterdir())
    check_error(lsg(home, "models", "rm", NAME, "--yes"), 2, "no model 'acme/seed'")


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"y\n", 0)])
def test_rm_asks(home, model, answer, code):
    done, shown = on_a_terminal("models", "rm", NAME, answer=answer, LSG_HOME=str(home))
    assert done == code
    assert f"Delete {model}?" in shown.decode().replace("\r\n", "")
    assert model.exists() == bool(code)


@pytest.mark.parametrize("name", ["en-de", "..", "../home", "/", "acme--seed/..", "."])
def test_rm_deletes_only_what_was_pulled(home, model, name):
    result = lsg(home, "models", "rm", "--yes", "--", name)
    check_error(result, 2, "embedded" if name == "en-de" else "no model")
    assert model.exists()
    assert EMBEDDED.exists()


# ---------------------------------------------------------------- check


def test_check(home, model):
    result = lsg(home, "models", "check")
    assert (result.code, result.stderr) == (0, "")
    names = [*embedded(), NAME]
    assert [line.split("\t")[:2] for line in result.lines] == [[name, "ok"] for name in names]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": truncate,
    "flipped": flip,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("name", ["model.bin", "vocabulary.json", "README.md"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_check_finds(home, model, name, damage):
    DAMAGES[damage](model / name)
    check_error(lsg(home, "models", "check", NAME), 1, name)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_pulled_model_that_was_damaged_gives_an_error(home, model, damage):
    """It has no checksums in its manifest; what was recorded at the pull tells."""
    assert lsg(home, *TO, "--model", NAME, stdin=HOUSE).text == "Das Haus ist klein.\n"
    DAMAGES[damage](model / "model.bin")
    check_error(lsg(home, *TO, "--model", NAME, stdin=HOUSE), 1, "model.bin")


def test_check_outlives_the_loader(home, tmp_path):
    """Weights with nothing recorded: whatever the loader does, it is told in a line."""
    data = (EMBEDDED / "model.bin").read_bytes()
    for n, cut in enumerate((7, 100, 5000, len(data) // 2)):
        directory = tmp_path / str(n)
        directory.mkdir()
        (directory / "model.bin").write_bytes(data[:cut])
        shutil.copy(EMBEDDED / "vocabulary.json", directory)
        check_error(lsg(home, "models", "check", directory), 1, str(directory))


def test_check_tells_of_a_crash(home, tmp_path):
    """A program that dies in the place of the loader, as CTranslate2 does over some weights."""
    (tmp_path / "ctranslate2.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"
    )
    result = lsg(home, "models", "check", "en-de", PYTHONPATH=str(tmp_path))
    check_error(result, 1, "crashed over it .SIGSEGV.")


def test_check_of_a_translator(home, shared):
    directory = shared / "models" / "aren-transliteration"
    assert specification(directory) == "TransformerBase"
    assert lsg(home, "models", "check", directory).code == 0


def test_files_that_nobody_has_summed_are_named(home, model):
    (model / "pulled.toml").unlink()
    text = (model / "manifest.toml").read_text()
    sums = {name: sha256(model / name) for name in ("model.bin", "config.json")}
    rows = [
        f'"{name}" = {{size = {(model / name).stat().st_size}, sha256 = "{digest}"}}\n'
        for name, digest in sums.items()
    ]
    (model / "manifest.toml").write_text(text.rstrip() + "\n" + "".join(rows))
    assert lsg(home, "models", "check", NAME).lines == [
        f"{NAME}\tok\t2 files with checksums (none: spm.model vocabulary.json), loads and runs"
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a pickle", b"\x06\0\0\0\xff\xff" + b"x" * 9])
def test_what_is_no_model_of_ctranslate2(home, tmp_path, data):
    (tmp_path / "model.bin").write_bytes(data)
    check_error(lsg(home, "models", "check", tmp_path), 1, "not in CTranslate2's form")


# ---------------------------------------------------------------- directories that mean harm


@pytest.mark.parametrize("name", ["vocabulary.json", "spm.model", "model.bin", "manifest.toml"])
def test_a_link_out_of_the_directory(home, model, tmp_path, name):
    (model / "pulled.toml").unlink()
    secret = tmp_path / "secret"
    shutil.move(model / name, secret)
    (model / name).symlink_to(secret)
    check_error(lsg(home, *TO, "--model", model), 1, f"{name}: a link that leads out")


def test_a_link_inside_the_directory(home, model):
    (model / "spm.model").rename(model / "there.model")
    (model / "spm.model").symlink_to("there.model")
    assert lsg(home, *TO, "--model", model, stdin=HOUSE).code == 0


def test_links_of_the_hubs_own_cache(home, model, tmp_path):
    """There the files of a snapshot are links to blobs beside it."""
    blobs = tmp_path / "hub" / "models--acme--seed" / "blobs"
    snapshot = blobs.parent / "snapshots" / ("0" * 40)
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for n, file in enumerate(sorted(model.iterdir())):
        shutil.move(file, blobs / str(n))
        (snapshot / file.name).symlink_to(f"../../blobs/{n}")
    assert lsg(home, *TO, "--model", snapshot, stdin=HOUSE).code == 0


@pytest.mark.parametrize("name", ["vocabulary.json", "spm.model", "config.json", "manifest.toml"])
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda file: file.symlink_to("/dev/zero")])
def test_what_is_no_file(home, model, name, make):
    (model / "pulled.toml").unlink()
    (model / name).unlink()
    make(model / name)
    check_error(lsg(home, *TO, "--model", model), 1, f"{name}: not a regular file")


def test_a_table_of_a_huge_size(home, model):
    """Sparse: it takes no room on the disk, and all memory when it is read."""
    (model / "pulled.toml").unlink()
    with (model / "vocabulary.json").open("r+b") as file:
        file.truncate(1 << 40)
    check_error(lsg(home, *TO, "--model", model), 1, "vocabulary.json: .* too many")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".hidden", "a/b", "a\\\\b"])
def test_names_in_a_record(home, model, name):
    record = model / "pulled.toml"
    record.write_text(record.read_text().replace("vocabulary.json", name))
    check_error(
        lsg(home, *TO, "--model", model), 2, "pulled.toml.*(plain file name|expected|Invalid)"
    )


@pytest.mark.parametrize("text", ["", "x", "version = 2", "version = 1\nfiles = 3", "[[[["])
def test_a_record_that_is_none(home, model, text):
    (model / "pulled.toml").write_text(text)
    check_error(lsg(home, *TO, "--model", model), 2, "pulled.toml.*")


def test_saving_thresholds_follows_no_link(home, model, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (model / "manifest.partial").symlink_to(secret)
    manifest.save_level(model, "en-de", "low", Level(lower=1, upper=2))
    assert secret.read_text() == "mine"
    assert manifest.load(model).policies["en-de"].levels.low.upper == 2


def test_sizes_of_a_file_that_grew(model):
    record = provenance.load(model)
    assert record
    with (model / "model.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="instead of"):
        verify(model, record.files)


# ---------------------------------------------------------------- doctor

ORDER = [
    *("python", "ctranslate2", "cuda", "memory", "microphone", "models", "pairs", "hub"),
    "self-test",
]


def test_doctor(home):
    result = lsg(home, "doctor", "--offline")
    assert (result.code, result.stderr) == (0, "")
    found = {line[6:17].strip(): line[:4].strip() for line in result.lines}
    assert list(found) == ORDER
    assert found["self-test"] == found["models"] == found["ctranslate2"] == "ok"
    assert found["hub"] == "note"
    assert "The house is small. → Das Haus ist klein." in result.text


def doctor(home: Path, *arguments: str, **changes: Any) -> tuple[int, dict[str, dict[str, str]]]:
    result = lsg(home, "doctor", "--json", *arguments, **changes)
    found = [json.loads(line) for line in result.lines]
    return result.code, {each["what"]: each for each in found}


def test_doctor_asks_the_hub(home):
    code, found = doctor(home, HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="")
    assert (code, found["hub"]["status"]) == (0, "note")
    assert "127.0.0.1:9 cannot be reached" in found["hub"]["detail"]


def test_doctor_finds_an_unwritable_cache(tmp_path):
    (tmp_path / "file").write_text("")
    code, found = doctor(tmp_path / "file", "--offline")
    assert (code, found["models"]["status"]) == (1, "FAIL")
    assert found["pairs"]["status"] == "ok"
    assert "LSG_HOME" in found["models"]["remedy"]


def test_doctor_finds_a_broken_library(home, tmp_path):
    (tmp_path / "ctranslate2.py").write_text("raise ImportError('libgomp.so.1 is missing')")
    code, found = doctor(home, "--offline", PYTHONPATH=str(tmp_path))
    assert code == 1
    assert found["ctranslate2"]["status"] == found["self-test"]["status"] == "FAIL"
    assert "libgomp" in found["ctranslate2"]["detail"]
    assert found["ctranslate2"]["remedy"]


# ---------------------------------------------------------------- which model is used


def damaged(model: Path) -> Path:
    """A model that cannot be used without being named by the error."""
    (model / "model.bin").write_bytes(b"nothing")
    return model


def test_a_model_that_was_got_goes_before_the_embedded_one(home, model):
    assert lsg(home, *TO, stdin=HOUSE).text == "Das Haus ist klein.\n"
    damaged(model)
    for languages in (TO, ("translate", "--from", "de", "--to", "en")):
        check_error(lsg(home, *languages, stdin=HOUSE), 1, str(model))
    assert lsg(home, "translate", "--to", "fr", stdin=HOUSE).code == 0


def test_preferred_models_go_first(home, model):
    damaged(model)
    shown = lsg(home, "models", "prefer", "en-de")
    assert shown.lines[:2] == ["en-de", NAME]
    assert lsg(home, "models", "prefer").lines == shown.lines
    assert lsg(home, *TO, stdin=HOUSE).text == "Das Haus ist klein.\n"
    assert lsg(home, "models", "prefer", "--none").lines[0] == NAME
    check_error(lsg(home, *TO, stdin=HOUSE), 1, str(model))


def test_only_what_is_here_is_preferred(home, model):
    check_error(lsg(home, "models", "prefer", "nllb-200-600m"), 2, f"nllb-200-600m.*{NAME}, en-de")
    check_error(lsg(home, "models", "prefer", "digits-en"), 2, "digits-en.*for text")
    check_error(lsg(home, "models", "prefer", "--none", "en-de"), 2, "--none")


def test_models_of_the_registry_go_in_its_order(home, model):
    for name in ("nllb-200-600m", "opus-mt-en-de"):
        repository = registry.load()[name].repository
        shutil.copytree(model, home / "models" / repository.replace("/", "--"))
    expected = ["opus-mt-en-de", "nllb-200-600m", NAME, "en-de", "en-fr-es"]
    assert lsg(home, "models", "prefer").lines == expected


def test_what_was_got_and_is_no_translator_is_passed_over(home, model):
    (model / "manifest.toml").write_text("version = 7\n")
    assert lsg(home, *TO, stdin=HOUSE).text == "Das Haus ist klein.\n"


def test_doctor_names_the_model_of_each_pair(home, model):
    found = {
        each["what"]: each
        for each in map(json.loads, lsg(home, "doctor", "--json", "--offline").lines)
    }
    assert found["pairs"]["detail"] == f"{NAME}: de-en en-de; en-fr-es: en-es en-fr es-en fr-en"


def test_a_model_of_any_languages_serves_the_pairs_of_the_others(home, model):
    text = (model / "manifest.toml").read_text()
    text = (
        text.replace('["en-de", "de-en"]', '["*-*"]') + '[codes]\nen = "en"\nde = "de"\nja = "ja"\n'
    )
    (model / "manifest.toml").write_text(text)
    damaged(model)
    check_error(lsg(home, *TO, stdin=HOUSE), 1, str(model))
    check_error(lsg(home, *TO[:2], "ja", stdin=HOUSE), 2, "--from which language")


@pytest.mark.parametrize(
    ("languages", "offer"),
    [
        (("--to", "ja"), r"lsg models pull nllb-200-600m \(or "),
        (("--to", "zh"), "lsg models pull opus-mt-en-zh"),
        (("--from", "de", "--to", "fr"), "lsg models pull opus-mt-de-fr"),
        (("--to", "qq"), "'qq' may be no language"),
    ],
)
def test_what_would_do_is_named(home, languages, offer):
    check_error(lsg(home, "translate", *languages), 2, offer, "--model DIR")


def test_a_better_model_is_offered_once_on_a_terminal(home):
    def said() -> str:
        code, shown = on_a_terminal(*TO, answer=HOUSE + b"\x04", LSG_HOME=str(home))
        assert code == 0
        return " ".join(shown.decode().split())

    assert "lsg models pull opus-mt-en-de" in said()
    assert "lsg models pull" not in said()
