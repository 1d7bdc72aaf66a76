"""A Hub that means harm: what it draws out has an end, and what it says is checked."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_lsg
from hub_server import COMMIT, Hub, Repository
from messages import logged
from test_cli import check_error

from lsgcli.errors import HubError
from lsgcli.models import catalog
from lsgcli.models.pull import hub as pulling
from lsgcli.models.pull import limits, repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub_server import Handler

NAME = "acme/seed"
EMBEDDED = catalog.embedded()["en-de"]
WEIGHTS = bytes(range(256)) * 4096


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    server.repositories[NAME] = Repository({"model.bin": WEIGHTS, "config.json": b"{}"})
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield server
    server.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def start(handler: Handler, *headers: str, status: int = 200) -> None:
    """Send the head of an answer."""
    lines = [f"HTTP/1.1 {status} X", *headers, "Connection: close", "", ""]
    handler.wfile.write("\r\n".join(lines).encode())


def forever(handler: Handler, data: bytes, pause: float = 0.0) -> None:
    """Send it until the other side has gone."""
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end:
            handler.wfile.write(data)
            handler.hub.sent["forever"] += len(data)
            time.sleep(pause)
    except OSError:
        pass


def pull(hub: Hub, home: Path, **changes: str) -> Any:
    surroundings: dict[str, Any] = {"LSG_HOME": str(home), "HF_HOME": str(home / "hf")}
    surroundings |= {"HF_ENDPOINT": hub.url}
    surroundings |= {"NO_PROXY": "127.0.0.1,localhost", "HF_HUB_OFFLINE": "", "HF_TOKEN": ""}
    return run_lsg("models", "pull", NAME, **surroundings | changes)


def fetched(tmp_path: Path) -> bytes:
    """Have the weights fetched."""
    described = repository.describe(NAME, "")
    file = next(each for each in described.files if each.name == "model.bin")
    to = tmp_path / "part"
    repository.fetch(described, file, to, lambda size: None)
    return to.read_bytes()


# ---------------------------------------------------------------- without an end


def test_json_without_an_end(hub: Hub, home: Path) -> None:
    def answer(handler: Handler, path: str) -> bool:
        start(handler, "Content-Type: application/json")
        handler.wfile.write(b'{"sha": "')
        forever(handler, b"a" * 65536)
        return True

    hub.hook = answer
    check_error(pull(hub, home), 1, f"{hub.url} says more than 32 MB about a repository")
    assert hub.sent["forever"] < 3 * limits.LARGEST_ANSWER


@pytest.mark.parametrize("size", [0, 1])
def test_the_longest_answer(hub: Hub, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """At the limit it is read, a byte beyond it is not."""
    whole = json.dumps({"sha": COMMIT, "siblings": []}).encode()
    monkeypatch.setattr(limits, "LARGEST_ANSWER", len(whole))

    def answer(handler: Handler, path: str) -> bool:
        start(handler)
        handler.wfile.write(whole + b" " * size)
        return True

    hub.hook = answer
    if size:
        with pytest.raises(HubError, match="says more than"):
            repository.describe(NAME, "")
    else:
        assert repository.describe(NAME, "").commit == COMMIT


@pytest.mark.parametrize("head", [True, False])
def test_an_answer_byte_by_byte(hub: Hub, monkeypatch: pytest.MonkeyPatch, head: bool) -> None:
    monkeypatch.setattr(limits, "ANSWER", 1.0)

    def answer(handler: Handler, path: str) -> bool:
        if head:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        else:
            start(handler)
        forever(handler, b" ", 0.05)
        return True

    hub.hook = answer
    with pytest.raises(HubError, match=r"does not say within 1 s what acme/seed holds; try again"):
        repository.describe(NAME, "")


def test_a_file_whose_head_comes_byte_by_byte(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "ANSWER", 1.0)

    def answer(handler: Handler, path: str) -> bool:
        if "/resolve/" not in path:
            return False
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        forever(handler, b" ", 0.05)
        return True

    hub.hook = answer
    with pytest.raises(HubError, match=r"does not begin with model\.bin within 1 s"):
        fetched(tmp_path)


def test_a_file_byte_by_byte(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "PATIENCE", 1.0)

    def answer(handler: Handler, path: str) -> bool:
        if "/resolve/" not in path:
            return False
        start(handler, f"Content-Length: {len(WEIGHTS)}")
        forever(handler, b"x", 0.05)
        return True

    hub.hook = answer
    with pytest.raises(HubError, match=r"model.bin comes with less than 1024 bytes a second"):
        fetched(tmp_path)


def test_the_slowest_that_is_waited_for() -> None:
    now = [0.0]
    pace = limits.Pace("x", clock=lambda: now[0])
    for _ in range(200):
        now[0] += 1.0
        pace(limits.SLOWEST)

    def more(seconds: int) -> None:
        for _ in range(seconds):
            now[0] += 1.0
            pace(limits.SLOWEST - 1)

    with pytest.raises(HubError, match="goes on where it ended"):
        more(200)


def test_a_file_that_is_longer_than_announced(hub: Hub, tmp_path: Path) -> None:
    def answer(handler: Handler, path: str) -> bool:
        if "/resolve/" not in path:
            return False
        start(handler)
        forever(handler, b"x" * 65536)
        return True

    hub.hook = answer
    with pytest.raises(HubError, match=f"more than the announced {len(WEIGHTS)} bytes"):
        fetched(tmp_path)


# ---------------------------------------------------------------- told to wait


def busy(times: int, *headers: str) -> Any:
    """Refuse files so many times."""
    left = iter(range(times))

    def answer(handler: Handler, path: str) -> bool:
        if "/resolve/" not in path or next(left, None) is None:
            return False
        start(handler, *headers, "Content-Length: 0", status=429)
        return True

    return answer


@pytest.mark.parametrize("asked", ["61", "99999", "9" * 400])
def test_it_may_not_ask_for_long(hub: Hub, tmp_path: Path, asked: str) -> None:
    hub.hook = busy(9, f"Retry-After: {asked}")
    with pytest.raises(HubError, match=r"asks to wait \d{2,20} s, and no more than 60 are waited"):
        fetched(tmp_path)


def test_it_is_waited_and_told(hub: Hub, tmp_path: Path) -> None:
    hub.hook = busy(1, "Retry-After: 1")
    with logged() as notes:
        assert fetched(tmp_path) == WEIGHTS
    assert notes == [f"{hub.url} asks to wait 1 s"]


@pytest.mark.parametrize("asked", ["", "Wed, 21 Oct 2015 07:28:00 GMT", "-1", "x"])
def test_always_busy(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.hook = busy(10_000, f"Retry-After: {asked}")
    with pytest.raises(HubError, match="429"):
        fetched(tmp_path)
    assert len(hub.asked("/resolve/")) == 1 + len(repository.PAUSES)


# ---------------------------------------------------------------- what it says

FILE = {"rfilename": "model.bin", "size": 9, "blobId": "0" * 40}
GOOD = {"sha": COMMIT, "siblings": [FILE]}
WRONG: dict[str, object] = {
    "a list": [],
    "text": "x",
    "null": None,
    "nothing": {},
    "no commit": {"siblings": []},
    "a commit that is a path": GOOD | {"sha": "../../x"},
    "a commit of another type": GOOD | {"sha": 7},
    "no files": {"sha": COMMIT},
    "files of another type": GOOD | {"siblings": {"a": 1}},
    "a file of another type": GOOD | {"siblings": [3]},
    "a name of another type": GOOD | {"siblings": [FILE | {"rfilename": ["x"]}]},
    "no name": GOOD | {"siblings": [{}]},
    "a size of another type": GOOD | {"siblings": [FILE | {"size": "9"}]},
    "a negative size": GOOD | {"siblings": [FILE | {"size": -9}]},
    "an odd blob": GOOD | {"siblings": [FILE | {"blobId": "../x"}]},
    "lfs of another type": GOOD | {"siblings": [FILE | {"lfs": 1}]},
    "lfs without a size": GOOD | {"siblings": [FILE | {"lfs": {"sha256": "0" * 64}}]},
    "an odd checksum": GOOD | {"siblings": [FILE | {"lfs": {"size": 9, "sha256": "x"}}]},
    "a card of another type": GOOD | {"cardData": []},
    "a licence of another type": GOOD | {"cardData": {"license": {"a": 1}}},
}


def say(hub: Hub, data: bytes) -> None:
    """Answer every question about a repository so."""

    def answer(handler: Handler, path: str) -> bool:
        start(handler, "Content-Type: application/json", f"Content-Length: {len(data)}")
        handler.wfile.write(data)
        return True

    hub.hook = answer


@pytest.mark.parametrize("name", WRONG)
def test_fields_of_the_wrong_type(hub: Hub, name: str) -> None:
    say(hub, json.dumps(WRONG[name]).encode())
    with pytest.raises(
        HubError, match=f"^{hub.url} does not say as it should what acme/seed holds"
    ):
        repository.describe(NAME, "")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"<html>", b"1" * 5000])
def test_what_is_no_json(hub: Hub, data: bytes) -> None:
    say(hub, data)
    with pytest.raises(HubError, match="does not say as it should"):
        repository.describe(NAME, "")


def test_it_is_told_in_a_line(hub: Hub, home: Path) -> None:
    say(hub, json.dumps(WRONG["a size of another type"]).encode())
    check_error(pull(hub, home), 1, "what acme/seed holds .Expected `int")


def test_a_hundred_thousand_files(hub: Hub, home: Path) -> None:
    files = [FILE, *({**FILE, "rfilename": f"a{n}.model"} for n in range(100_000))]
    say(hub, json.dumps(GOOD | {"siblings": files}).encode())
    check_error(pull(hub, home), 1, "100001 files for a model, more than 200")
    assert not list((home / "models").rglob("*.model"))


def test_the_most_files() -> None:
    files = [repository.RemoteFile(f"{n}.model", 1, None, "0" * 40) for n in range(300)]
    weights = repository.RemoteFile("model.bin", 1, None, "0" * 40)
    other = [repository.RemoteFile(f"{n}.py", 1, None, "0" * 40) for n in range(300)]
    few = [weights, *files[: limits.MOST_FILES - 1], *other]
    described = repository.Repository(NAME, COMMIT, "", few)
    assert len(pulling._needed(described)) == limits.MOST_FILES
    described.files.append(files[-1])
    with pytest.raises(HubError, match="more than 200"):
        pulling._needed(described)


def test_what_it_says_is_shown_as_text(hub: Hub) -> None:
    escape = "\x1b]0;title\x07\nmit" + "x" * 10_000
    say(hub, json.dumps(GOOD | {"cardData": {"license": escape}}).encode())
    licence = repository.describe(NAME, "").licence
    assert licence.isprintable()
    assert len(licence) <= repository.LONGEST


# ---------------------------------------------------------------- models that cannot be used

MANIFEST = (EMBEDDED / "manifest.toml").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MANIFEST.replace("version = 1", "version = 2"), "version is 2"),
        ("a = " + "[" * 100_000, "brackets in brackets"),
        (MANIFEST.replace("size = 136", "size = 137"), "config.json: 136 bytes instead of 137"),
        (MANIFEST.replace('"spm.model" =', '"other.model" ='), "other.model: No such file"),
    ],
)
def test_a_manifest_that_cannot_be_used(hub: Hub, home: Path, text: str, said: str) -> None:
    hub.add(NAME, EMBEDDED).files["manifest.toml"] = text.encode()
    check_error(
        pull(hub, home), 1, f"acme/seed is not installed, since it cannot be used: .*{said}"
    )
    assert not (home / "models" / "acme--seed").exists()
    hub.add(NAME, EMBEDDED).commit = "f" * 40  # they have mended it
    assert pull(hub, home).code == 0


def test_a_whisper_that_cannot_be_used(hub: Hub, home: Path) -> None:
    files = {"model.bin": WEIGHTS, "config.json": b'{"suppress_ids": [], "lang_ids": [7]}'}
    hub.repositories[NAME].files = files | {"vocabulary.json": b'{"a": 1}'}
    check_error(pull(hub, home), 1, "is not installed.*not a vocabulary")
    assert not (home / "models" / "acme--seed").exists()
