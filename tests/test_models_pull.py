"""``lsg models pull`` against a server of the Hub's endpoints: all that can go wrong on the way."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
import wave
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DEADLINE, LSG, Result, environment, run_lsg
from hub_server import BLOCK, COMMIT, Hub
from test_cli import check_error

from lsgcli.models import manifest
from lsgcli.models.catalog import embedded
from lsgcli.models.infer.prompts import INSTRUCTION
from lsgcli.models.provenance import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMBEDDED = embedded()["en-de"]
REPOSITORY = "acme/seed"
SIZE = (EMBEDDED / "model.bin").stat().st_size
FORBIDDEN = ("pytorch_model.bin", "run.py", "model.pkl", "pulled.toml", ".gitattributes")
HOSTILE = ("../evil.json", "sub/vocab.json", "/etc/vocab.json", "..\\evil.model", ".hidden.model")


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    server.add(REPOSITORY, EMBEDDED, **dict.fromkeys((*FORBIDDEN, *HOSTILE), b"harmful"))
    yield server
    server.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def surroundings(hub: Hub, home: Path, **changes: Any) -> dict[str, Any]:
    return {
        "LSG_HOME": str(home),
        "HF_HOME": str(home / "huggingface"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": "",
        "HF_HUB_OFFLINE": "",
        "NO_PROXY": "127.0.0.1,localhost",
    } | changes


def lsg(hub: Hub, home: Path, *arguments: str, **changes: Any) -> Result:
    return run_lsg(*arguments, **surroundings(hub, home, **changes))


def pull(hub: Hub, home: Path, *arguments: str, **changes: str) -> Result:
    return lsg(hub, home, "models", "pull", *(arguments or (REPOSITORY,)), **changes)


def start_pull(hub: Hub, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*LSG, "models", "pull", REPOSITORY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**surroundings(hub, home)),
    )


def final(home: Path) -> Path:
    return home / "models" / "acme--seed"


def check_whole(home: Path) -> None:
    """The model has its name, is what the Hub has, and works; nothing else is there."""
    directory = final(home)
    expected = {file.name for file in EMBEDDED.iterdir() if file.is_file()} | {"pulled.toml"}
    assert {file.name for file in directory.iterdir()} == expected
    for file in EMBEDDED.iterdir():
        assert (directory / file.name).read_bytes() == file.read_bytes()
    assert not list((home / "models" / ".partial").glob("*"))


def check_none(home: Path) -> None:
    assert not final(home).exists()


def until(condition) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# ---------------------------------------------------------------- what should happen


def test_pulls_records_and_works(hub, home):
    result = pull(hub, home)
    assert (result.code, result.text, result.stderr) == (0, f"{final(home)}\n", "")
    check_whole(home)
    record = load(final(home))
    assert record is not None
    assert (record.repository, record.commit, record.licence) == (REPOSITORY, COMMIT, "mit")
    digest = hashlib.sha256((EMBEDDED / "model.bin").read_bytes()).hexdigest()
    assert record.files["model.bin"].sha256 == digest
    assert "manifest.toml" not in record.files
    done = run_lsg(
        *("translate", "--to", "de", "--model", REPOSITORY),
        stdin=b"The house is small.\n",
        **surroundings(hub, home, HF_HUB_OFFLINE="1"),
    )
    assert (done.code, done.text) == (0, "Das Haus ist klein.\n")
    assert not any(hub.asked(name) for name in (*FORBIDDEN, "evil", "hidden", "vocab.json"))


def test_xdg_cache(hub, home):
    result = pull(hub, home, LSG_HOME="", XDG_CACHE_HOME=str(home))
    assert result.text == f"{home}/lsg/models/acme--seed\n"


def test_asks_for_nothing_twice(hub, home):
    pull(hub, home)
    asked = len(hub.asked("/resolve/"))
    result = pull(hub, home)
    assert (result.code, result.text) == (0, f"{final(home)}\n")
    assert len(hub.asked("/resolve/")) == asked


def test_a_revision_is_pinned(hub, home):
    assert pull(hub, home, REPOSITORY, "--revision", COMMIT).code == 0
    assert hub.asked(f"revision/{COMMIT}")
    assert pull(hub, home, REPOSITORY, "--revision", "v1").code == 0
    check_error(pull(hub, home, REPOSITORY, "--revision", "v9"), 2, "no revision 'v9'.*/commits")


def test_a_newer_commit_takes_only_what_is_new(hub, home):
    pull(hub, home)
    hub.repositories[REPOSITORY].commit = "f" * 40
    hub.repositories[REPOSITORY].files["README.md"] = b"newer"
    before = hub.sent["model.bin"]
    assert pull(hub, home).code == 0
    assert (final(home) / "README.md").read_bytes() == b"newer"
    assert hub.sent["model.bin"] == before


def test_what_was_damaged_is_got_again(hub, home):
    pull(hub, home)
    with (final(home) / "model.bin").open("r+b") as file:
        file.seek(SIZE // 2)
        file.write(b"\0\1\2\3")
    assert pull(hub, home).code == 0
    check_whole(home)


def test_the_token_does_not_leave_the_hub(hub, home):
    hub.repositories[REPOSITORY].token = "hf_secret"
    assert pull(hub, home, HF_TOKEN="hf_secret").code == 0
    check_whole(home)
    assert all(
        h["authorization"] == "Bearer hf_secret" for h in hub.asked(f"/api/models/{REPOSITORY}")
    )
    elsewhere = hub.asked("/cdn/")
    assert elsewhere
    assert not any("authorization" in headers for headers in elsewhere)


# ---------------------------------------------------------------- what can go wrong


def test_goes_on_after_a_cut(hub, home):
    """In the same process: the connection ends in the middle, once."""
    cuts = iter([True])
    hub.cut = lambda name, sent: name == "model.bin" and sent > 4 << 20 and next(cuts, False)
    assert pull(hub, home).code == 0
    check_whole(home)
    assert hub.sent["model.bin"] < SIZE + (1 << 21)
    assert [h["range"] for h in hub.asked("/cdn/") if "range" in h]


def test_goes_on_after_being_killed(hub, home):
    hub.slow = 0.02
    process = start_pull(hub, home)
    until(lambda: hub.sent["model.bin"] > 4 << 20)
    process.kill()
    process.communicate()
    check_none(home)
    check_error(lsg(hub, home, "models", "path", REPOSITORY), 2, "no model 'acme/seed'")
    assert len(lsg(hub, home, "models", "list").lines) > 10
    hub.slow = 0
    before = hub.sent["model.bin"]
    assert pull(hub, home).code == 0
    check_whole(home)
    assert hub.sent["model.bin"] - before < SIZE - (2 << 20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(hub, home, number):
    hub.slow = 0.02
    process = start_pull(hub, home)
    until(lambda: hub.sent["model.bin"] > 2 << 20)
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, err) == (128 + number, b"", b"")
    check_none(home)


def test_what_is_left_of_a_file_may_be_damaged(hub, home):
    part = home / "models" / ".partial" / "acme--seed" / COMMIT / ".model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(5 << 20))  # as a file is after a power cut
    assert pull(hub, home).code == 0
    check_whole(home)


def flipped(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize("name", ["model.bin", "vocabulary.json"])
def test_a_wrong_checksum(hub, home, name):
    repository = hub.repositories[REPOSITORY]
    repository.announced[name] = repository.files[name]
    repository.files[name] = flipped(repository.files[name])
    check_error(pull(hub, home), 1, f"checksum of {name}")
    check_none(home)


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
@pytest.mark.parametrize("change", [lambda data: data[:-7], lambda data: data + b"more"])
def test_another_size_than_announced(hub, home, name, change):
    repository = hub.repositories[REPOSITORY]
    repository.announced[name] = repository.files[name]
    repository.files[name] = change(repository.files[name])
    check_error(pull(hub, home), 1, name)
    check_none(home)


def test_no_such_repository(hub, home):
    check_error(pull(hub, home, "acme/nothing"), 2, f"no acme/nothing at {hub.url}.*HF_TOKEN")


@pytest.mark.parametrize("name", ["nothing", "../x", "a/b/c", "a--b/c", "-x/y"])
def test_no_name(hub, home, name):
    check_error(pull(hub, home, "--", name), 2, "OWNER/NAME")
    assert not hub.requests


def test_no_model_of_ctranslate2(hub, home):
    del hub.repositories[REPOSITORY].files["model.bin"]
    check_error(pull(hub, home), 2, "not in CTranslate2's form.*lsg models convert")
    check_error(pull(hub, home, "qwen3-4b"), 2, "lsg models convert qwen3-4b")


@pytest.mark.parametrize(("token", "status"), [("", 401), ("hf_other", 403)])
@pytest.mark.parametrize("gated", [True, False])
def test_no_access(hub, home, token, status, gated):
    hub.repositories[REPOSITORY].token = "hf_secret"
    hub.repositories[REPOSITORY].gated = gated
    said = "gated: ask for access" if gated else rf"\({status}\)"
    page = f"{hub.url}/{REPOSITORY}.*HF_TOKEN.*{hub.url}/settings/tokens"
    check_error(pull(hub, home, HF_TOKEN=token), 1, said, page)


def test_server_error(hub, home):
    hub.status = 500
    check_error(pull(hub, home), 1, "cannot get acme/seed.*500")


def test_server_down(hub, home):
    result = pull(hub, home, HF_ENDPOINT="http://127.0.0.1:9")
    check_error(result, 1, "cannot get acme/seed from http://127.0.0.1:9", "refused")


def test_offline(hub, home):
    check_error(pull(hub, home, HF_HUB_OFFLINE="1"), 1, "HF_HUB_OFFLINE is set")
    assert not hub.requests


def test_disk_full(hub, home):
    """The system refuses to make a file longer than 3 MB."""
    done = subprocess.run(
        [*LSG, "models", "pull", REPOSITORY],
        capture_output=True,
        timeout=DEADLINE,
        env=environment(**surroundings(hub, home)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20)),
    )
    check_error(
        Result(done.returncode, done.stdout, done.stderr.decode()), 1, "too large.*make room"
    )
    check_none(home)
    before = hub.sent["model.bin"]
    assert pull(hub, home).code == 0
    check_whole(home)
    assert hub.sent["model.bin"] - before < SIZE - (2 << 20)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_disk_too_small(hub, small_disk):
    check_error(pull(hub, small_disk), 1, "GB are needed, .* free; make room, or set LSG_HOME")
    assert not hub.sent["model.bin"]


def test_a_directory_that_cannot_be_written(hub, tmp_path):
    (tmp_path / "file").write_text("")
    check_error(pull(hub, tmp_path / "file"), 1, "file.*Not a directory")


def test_two_at_once(hub, home):
    hub.slow = 0.005
    processes = [start_pull(hub, home) for _ in range(2)]
    ends = [each.communicate(timeout=DEADLINE) for each in processes]
    assert [each.returncode for each in processes] == [0, 0]
    assert {out for out, _ in ends} == {f"{final(home)}\n".encode()}
    assert sorted(err for _, err in ends) == [b"", b"lsg: waiting for another pull of acme/seed\n"]
    check_whole(home)
    assert hub.sent["model.bin"] == SIZE


def test_the_server_waits_for_ever(hub, home):
    """It takes the connection and says nothing."""
    stop = threading.Event()
    hub.cut = lambda name, sent: name == "model.bin" and sent > BLOCK and stop.wait(DEADLINE)
    process = start_pull(hub, home)
    until(lambda: hub.sent["model.bin"] > BLOCK)
    process.terminate()
    process.communicate(timeout=DEADLINE)
    stop.set()
    assert process.returncode == 128 + signal.SIGTERM


# ---------------------------------------------------------------- without a manifest

CHAT = (
    "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def add_bare(hub: Hub, **config: str) -> None:
    """Have the embedded model as others publish theirs: with Transformers' files, no manifest."""
    files = hub.add(REPOSITORY, EMBEDDED).files
    del files["manifest.toml"], files["README.md"]
    known = {"bos_token": {"content": "<s>"}, "eos_token": "</s>"}
    files["tokenizer_config.json"] = json.dumps(known | config).encode()


def test_a_manifest_is_made_of_the_chat_template(hub, home):
    add_bare(hub, chat_template=CHAT)
    result = pull(hub, home)
    assert (result.code, result.text, result.stderr) == (0, f"{final(home)}\n", "")
    made = manifest.load(final(home))
    assert isinstance(made, manifest.DecoderOnlyManifest)
    asked, answer = f"<s>system: {INSTRUCTION}</s>user: <text>", "</text></s>assistant:"
    assert made.prompt.parts == [asked, "{examples}", "{source}", answer, "{target}"]
    shown = ["{source}", f"{answer} ", "{target}", "</s>user: <text>"]
    assert made.prompt.example == shown
    assert made.prompt.end == ["</s>"]
    assert (made.directions, made.licence) == (["*-*"], "mit")
    translate = ("translate", "--to", "de", "--model", REPOSITORY)
    check_error(lsg(hub, home, *translate), 2, "say which with --from")
    done = lsg(hub, home, *translate, "--from", "en", stdin=b"The house is small.\n")
    assert done.code == 0
    assert done.text.count("\n") == 1
    assert lsg(hub, home, "models", "check", REPOSITORY).code == 0
    (final(home) / "manifest.toml").unlink()  # as if it had been killed before
    assert pull(hub, home, REPOSITORY, "--from", "en", "--to", "de").code == 0
    assert manifest.load(final(home)).directions == ["en-de"]


def test_a_language_model_without_a_template_gets_the_papers_prompt(hub, home):
    add_bare(hub)
    result = pull(hub, home)
    assert result.code == 0
    assert "has no chat template: it is asked with the paper's prompt" in result.stderr
    made = manifest.load(final(home))
    assert isinstance(made, manifest.DecoderOnlyManifest)
    assert made.prompt.parts[0] == "<s>"
    assert pull(hub, home).stderr == ""


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "3 s"),
        ("{{ (('x' * 10**9) * 20) | length }}", "needs more than 512 MB"),
        ("{{ 'x' * 2**21 }}", "makes more than 1048576 characters"),
        ("{# " + "x" * 2**20 + " #}", "has more than 1048576 characters"),
        ("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}", "template fails"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "goes round in circles"),
        ("{{ messages[0].__class__.__mro__ }}", "template fails: .*unsafe"),
        ("{{ raise_exception('only in twos') }}", "template.*only in twos"),
        ("{% for m in messages %}{{ m.role }}{% endfor %}", "does not hold the source once"),
    ],
)
def test_a_template_that_cannot_be_used(hub, home, template, message):
    add_bare(hub, chat_template=template)
    check_error(pull(hub, home), 2, message)
    assert not (final(home) / "manifest.toml").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer_config.json", b"[]", "tokenizer_config.json: not an object"),
        ("tokenizer_config.json", b"{", "tokenizer_config.json"),
        ("tokenizer_config.json", b'{"bos_token": 7}', "bos_token is no text"),
        ("tokenizer_config.json", b'{"chat_template": 7}', "chat_template is no text"),
        ("tokenizer_config.json", b'{"added_tokens_decoder": {"1": 7}}', "not as it should be"),
        ("chat_template.jinja", b"\xff", "chat_template.jinja: not UTF-8"),
        ("tokenizer_config.json", b'{"added_tokens_decoder": [1]}', "not as it should be"),
        ("tokenizer.json", b"{}", "tokenizer.json"),
    ],
)
def test_tokenizers_that_are_broken(hub, home, name, content, message):
    add_bare(hub, chat_template=CHAT)
    hub.repositories[REPOSITORY].files[name] = content
    check_error(pull(hub, home), 1, message)


# ---------------------------------------------------------------- speech


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> Path:
    """A Whisper as it is on the Hub: without a manifest of ours."""
    directory: Path = tmp_path_factory.mktemp("whisper")
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.json"):
        shutil.copy(embedded()["tiny.en"] / name, directory)
    return directory


@pytest.fixture
def silence(tmp_path) -> str:
    with wave.open(str(tmp_path / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(32000))
    return str(tmp_path / "silence.wav")


def test_speech_gets_its_model_once(hub, home, whisper, silence):
    hub.add("Systran/faster-whisper-tiny", whisper)
    asr = ("asr", "--model", "tiny", silence)
    check_error(lsg(hub, home, *asr, "--offline"), 2, "'tiny'.*not in the cache")
    first = lsg(hub, home, *asr)
    assert first.code == 0
    assert "fetching Systran/faster-whisper-tiny" in first.stderr
    asked = len(hub.requests)
    second = lsg(hub, home, *asr, "--offline")
    assert (second.code, len(hub.requests)) == (0, asked)
    assert "fetching" not in second.stderr
    assert lsg(hub, home, "models", "check", "tiny").text.startswith("tiny\tok\t")
    weights = home / "models" / "Systran--faster-whisper-tiny" / "model.bin"
    os.truncate(weights, weights.stat().st_size // 2)
    check_error(lsg(hub, home, *asr), 1, "model.bin: .* bytes instead of")
    check_error(lsg(hub, home, "models", "check", "tiny"), 1, "model.bin: .* bytes instead of")


def test_speech_takes_what_is_in_the_hubs_own_cache(hub, home, whisper, silence):
    cache = home / "huggingface" / "hub" / "models--Systran--faster-whisper-tiny"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text(COMMIT)
    shutil.copytree(whisper, cache / "snapshots" / COMMIT)
    result = lsg(hub, home, "asr", "--model", "tiny", silence)
    assert (result.code, hub.requests) == (0, [])
