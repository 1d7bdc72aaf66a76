"""A recorded stream runs again, the same or with other settings."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from conftest import DEADLINE, run_lsg
from test_cli import check_error

from lsgcli.errors import InputError
from lsgcli.text.recording import LONGEST, Replay

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [
    b"I ",
    b"am ",
    b"looking ",
    b"for ",
    b"a ",
    b"small ",
    b"house ",
    b"near ",
    b"the ",
    b"sea.\n",
]
LSG = [sys.executable, "-m", "lsgcli"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rec") / "stream.jsonl"
    command = [*LSG, "translate", "--to", "de", "--latency", "low", "--record", str(file)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    for count, word in enumerate(WORDS, 1):
        process.stdin.write(word)
        process.stdin.flush()
        end = time.monotonic() + DEADLINE
        while not file.exists() or file.read_bytes().count(b"\n") <= count:
            assert time.monotonic() < end, "not in time"
            time.sleep(0.005)
    process.communicate()
    assert process.returncode == 0
    return file


@pytest.fixture(scope="module")
def arriving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which the words come one by one, however fast this machine is."""
    file = tmp_path_factory.mktemp("rec") / "stream.jsonl"
    return write(file, header(latency="low"), *((n / 10, word) for n, word in enumerate(WORDS)))


def lsg(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LSG, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE,
    )


def test_the_recording_holds_every_byte_and_the_options(recorded: Path) -> None:
    header, *pieces = map(json.loads, recorded.read_text().splitlines())
    assert header["settings"] == {"to": "de", "latency": "low"}
    times = [piece["at"] for piece in pieces]
    assert times[0] == 0
    assert times == sorted(times)
    assert read(recorded) == b"".join(WORDS)


def test_a_replay_is_always_the_same(arriving: Path) -> None:
    first, second = (lsg("replay", str(arriving), "--explain") for _ in range(2))
    assert first.returncode == 0
    assert "READ" in first.stderr
    assert (first.stdout, first.stderr) == (second.stdout, second.stderr)


def test_a_replay_takes_other_settings(arriving: Path) -> None:
    result = lsg("replay", str(arriving), "-L", "7", "--format", "jsonl")
    first = next(json.loads(line) for line in result.stdout.splitlines() if '"write"' in line)
    assert first["delay"] >= 7


def header(**settings: object) -> dict[str, object]:
    return {"recording": 2, "lsg": "0", "settings": {"to": "de"} | settings, "without": []}


def write(file: Path, head: object, *pieces: tuple[float, bytes]) -> Path:
    """Write a recording with right checksums, whatever is in it."""
    lines, total = [json.dumps(head)], 0
    for at, data in pieces:
        total = zlib.crc32(data, zlib.crc32(repr(at).encode(), total))
        text = base64.b64encode(data).decode()
        lines.append(json.dumps({"at": at, "data": text, "sum": total}))
    file.write_text("\n".join(lines) + "\n")
    return file


def read(file: Path) -> bytes:
    """All the input of a recording."""
    data = b""
    with file.open("rb") as stream:
        replay = Replay(stream, file.name)
        while not replay.ended:
            chunk = replay.get()
            data += chunk.data if chunk else b""
    return data


def test_a_pause_is_a_pause_again(tmp_path: Path) -> None:
    file = write(tmp_path / "typed.jsonl", header(), (0.0, b"a"), (5.0, b"b"))
    with file.open("rb") as stream:
        replay = Replay(stream, file.name)
        first = replay.get(2.0)
        assert first
        assert first.data == b"a"
        assert replay.get(0) is None
        assert replay.get(2.0) is None
        assert not replay.ended
        second = replay.get(None)
        assert second
        assert second.data == b"b"
        assert replay.get(2.0) is None
        assert replay.ended


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ":1: .*empty"),
        ("nonsense\n", ":1: "),
        ("\xff\n", ":1: "),
        ("[" * 100_000 + "\n", ":1: "),
        ("x" * LONGEST + "xx\n", f":1: .*more than {LONGEST}"),
        ('{"recording":1,"arguments":["--stats-json","f"]}\n', ":1: "),
        (json.dumps(header()) + '\n{"at":1}\n', ":2: "),
        (json.dumps(header()) + '\n{"at":0.0,"data":"YQ==","sum":1}\n', ":2: .*checksum"),
        (json.dumps(header()) + '\n{"at":-1.0,"data":"YQ==","sum":1}\n', ":2: .*at"),
        (json.dumps(header()) + '\n{"at":0.0,"da', ":2: .*cut short: delete the line"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(content, encoding="latin-1")
    result = run_lsg("replay", file)
    check_error(result, 1, rf"x\.jsonl{said}")


def test_a_line_that_is_lost_or_moved(arriving: Path, tmp_path: Path) -> None:
    lines = arriving.read_text().splitlines(keepends=True)
    file = tmp_path / "x.jsonl"
    for changed in ([*lines[:3], *lines[4:]], [*lines[:2], lines[3], lines[2], *lines[4:]]):
        file.write_text("".join(changed))
        with pytest.raises(InputError, match=r":[34]: .*checksum"):
            read(file)


def test_times_go_forward(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":3: .*earlier"):
        read(write(tmp_path / "x.jsonl", header(), (2.0, b"a"), (1.0, b"b")))


FORBIDDEN = [
    *({name: "x"} for name in ("stats_json", "record", "model", "memory", "profile", "device")),
    *({name: ["x"]} for name in ("files", "protect_regex", "arguments", "--record")),
    {"to": "--record"},
    {"to": "../de"},
    {"lower": 0},
    {"lower": 10**30},
    {"alpha": 2.0},
    {"delta": -1},
    {"idle": -1},
    {"idle": 1e300},
    {"policy": "alignatt --record x"},
    {"output_format": "/etc/passwd"},
    {"json_field": ["x" * 1000]},
    {"json_field": ["x"] * 1000},
    {"floor": "nan"},
    {"protect": "no"},
]


@pytest.mark.parametrize("settings", FORBIDDEN, ids=str)
def test_a_recording_gives_no_orders(tmp_path: Path, settings: dict[str, object]) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    file = write(tmp_path / "x.jsonl", header(**settings), (0.0, b"Hello.\n"))
    result = run_lsg("replay", file, cwd=folder)
    check_error(result, 1, r"x\.jsonl:1: not a recording")
    assert not list(folder.iterdir())


def test_what_is_not_kept_is_said(tmp_path: Path) -> None:
    memory = tmp_path / "memory.tsv"
    memory.write_text("The house is small.\tSo ein kleines Haus.\n")
    file = tmp_path / "x.jsonl"
    options = ("--to", "de", "--memory", memory, "--format", "jsonl")
    first = run_lsg("translate", *options, "--record", file, stdin=b"The house is small.\n")
    assert b"kleines" in first.stdout
    assert str(memory) not in file.read_text()
    result = run_lsg("replay", file)
    assert "recorded with --memory" in result.stderr
    assert b"kleines" not in result.stdout
    again = run_lsg("replay", file, "--memory", memory, "--quiet")
    assert (again.stderr, b"kleines" in again.stdout) == ("", True)


def test_a_profile_is_kept_as_what_it_says(tmp_path: Path) -> None:
    profile = tmp_path / "own.toml"
    profile.write_text("delta = 1.5\nalpha = 0.25\nlower = 2\nupper = 3\n")
    file = tmp_path / "x.jsonl"
    run_lsg("translate", "--to", "de", "--profile", profile, "--record", file, stdin=b"Hello.\n")
    kept = json.loads(file.read_text().splitlines()[0])["settings"]
    assert kept == {"to": "de", "delta": 1.5, "alpha": 0.25, "lower": 2, "upper": 3}
    assert run_lsg("replay", file).stdout


def test_every_setting_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    options = (
        *("--from", "en", "--policy", "lsg", "--lower", "2", "--upper", "3", "--delta", "1"),
        *("--alpha", "0.5", "--kl-direction", "reverse", "--no-protect", "--floor", "none"),
        *("--no-phrases", "--idle", "1", "--strict", "--format", "jsonl"),
    )
    first = run_lsg("translate", "--to", "de", *options, "--record", file, stdin=b"Hello there.\n")
    assert first.code == 0
    kept = json.loads(file.read_text().splitlines()[0])["settings"]
    assert set(kept) == {
        *("to", "from", "policy", "lower", "upper", "delta", "alpha", "direction", "protect"),
        *("floor", "phrases", "idle", "strict", "output_format"),
    }
    assert run_lsg("replay", file).code == 0
    other = ("--as", "json", "--json-field", "a,b", "--segment", "line", "-k", "2")
    run_lsg(
        "translate", "--to", "de", "--policy", "wait-k", *other, "--record", file, stdin=b"{}\n"
    )
    kept = json.loads(file.read_text().splitlines()[0])["settings"]
    assert kept["json_field"] == ["a", "b"]
    assert run_lsg("replay", file).text == "{}\n"


def test_word_by_word_is_word_by_word_again(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    live = run_lsg(
        *("translate", "--to", "de", "--latency", "low", "--format", "jsonl", "--pace", "0"),
        *("--record", file),
        stdin=b"".join(WORDS),
    )
    again = run_lsg("replay", file)
    delays = [
        [event["delay"] for event in map(json.loads, result.text.splitlines()) if "delay" in event]
        for result in (live, again)
    ]
    assert delays[0] == delays[1]
    assert len(set(delays[0])) > 2


@pytest.mark.parametrize("option", [["x.txt"], ["--pace", "3"], ["--record", "y"]])
def test_the_input_is_the_recording(recorded: Path, option: list[str]) -> None:
    check_error(run_lsg("replay", recorded, *option), 2, "the input of a replay is the recording")


def test_an_option_that_does_not_exist(recorded: Path) -> None:
    result = lsg("replay", str(recorded), "--nope")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
