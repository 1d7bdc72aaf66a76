"""What the model does not believe is left, what is known needs no model: the real command line."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_lsg
from test_cli import check_error
from test_terminal import Terminal

from lsgcli.text.memory import of_direction

if TYPE_CHECKING:
    from pathlib import Path

TO = ("translate", "--to", "de")
SURE = "The house is small."
DOUBTED = "The shareholders deplored the  calamitous deprecation of quixotic perambulators."


def segments(text: str) -> list[dict[str, Any]]:
    objects = [json.loads(line) for line in text.splitlines()]
    return [each for each in objects if each["type"] == "segment"]


def test_a_sentence_that_is_not_believed_is_left_byte_for_byte():
    source = f"{SURE} {DOUBTED}\n  {DOUBTED}\r\n{SURE}\n"
    result = run_lsg(*TO, stdin=source.encode())
    assert result.text == source.replace(SURE, "Das Haus ist klein.")


def test_without_a_floor_everything_is_translated():
    result = run_lsg(*TO, "--floor", "none", stdin=f"{DOUBTED}\n".encode())
    assert result.code == 0
    assert "shareholders" not in result.text


def test_a_floor_of_nought_leaves_everything():
    source = "The house is small.\nERROR [main] Cannot open the file /tmp/x\nid=7\n"
    assert run_lsg(*TO, "--floor", "0", "--no-phrases", stdin=source.encode()).text == source


def test_what_is_left_is_marked_and_counted(tmp_path: Path):
    file = tmp_path / "stats.json"
    source = f"{SURE}\n{DOUBTED}\n".encode()
    result = run_lsg(*TO, "--format", "jsonl", "--stats-json", file, "--stats", stdin=source)
    sure, left = segments(result.text)
    assert sure["prediction"] == "Das Haus ist klein."
    assert -0.5 < sure["score"] <= 0
    assert "left" not in sure
    assert left["left"] is True
    assert left["prediction"] == DOUBTED
    assert left["score"] < -0.68
    figures = json.loads(file.read_text())
    assert (figures["segments"], figures["segments_left"], figures["segments_doubted"]) == (2, 1, 0)
    assert "1 left as they are" in result.stderr


def test_a_score_is_that_of_the_whole_sentence_and_a_level_of_ones_own():
    source = f"{SURE}\n{DOUBTED}\n".encode()
    free = run_lsg(*TO, "--floor", "none", "--format", "jsonl", stdin=source)
    scores = [each["score"] for each in segments(free.text)]
    between = sum(scores) / 2
    for level, left in ((between, 1), (min(scores) - 0.01, 0), (max(scores) + 0.01, 2)):
        result = run_lsg(*TO, "--floor", str(level), stdin=source)
        kept = sum(line in (SURE, DOUBTED) for line in result.lines)
        assert kept == left


def test_words_that_are_written_stay():
    """A line that is arriving is translated to its end, and said not to be believed."""
    source = f"{DOUBTED}\n".encode()
    arriving = (*TO, "--pace", "0", "--policy", "wait-k", "-k", "2")
    free = run_lsg(*arriving, "--floor", "none", stdin=source)
    assert run_lsg(*arriving, stdin=source).text == free.text
    (segment,) = segments(run_lsg(*arriving, "--format", "jsonl", stdin=source).text)
    assert segment["doubted"] is True
    assert segment["score"] < -0.68
    (segment,) = segments(run_lsg(*arriving, "--format", "jsonl", stdin=f"{SURE}\n".encode()).text)
    assert "doubted" not in segment
    assert segment["score"] > -0.3


def test_a_doubted_sentence_has_a_mark_on_a_terminal():
    lsg = Terminal(("--policy", "wait-k", "-k", "2", "--pace", "0"), "out")
    try:
        lsg.feed(f"{DOUBTED}\n{SURE}\n")
        lsg.finish()
        assert lsg.raw.count(b"\x1b[2m (?)\x1b[22m\r\n") == 1
        assert lsg.raw.rstrip().endswith(b"klein.")
    finally:
        lsg.close()


def test_a_format_is_kept_around_what_is_left():
    source = json.dumps({"message": DOUBTED.replace("the  c", 'the "c')}) + "\n"
    result = run_lsg(*TO, "--json-field", "message", stdin=source.encode())
    assert result.text == source


@pytest.mark.parametrize("level", ["0.1", "high", "nan", ""])
def test_a_wrong_level(level):
    check_error(run_lsg(*TO, "--floor", level), 2, "--floor.*none.*auto")


# ---------------------------------------------------------------- what is known


@pytest.mark.parametrize("target", ["de", "fr", "es"])
def test_every_text_of_strerror_is_right_behind_a_name(target):
    texts = list(dict.fromkeys(os.strerror(number) for number in sorted(errno.errorcode)))
    source = "".join(f"{text}\ncat: /tmp/x: {text}\n" for text in texts)
    known = of_direction("en", target)
    expected = [
        line
        for translation in map(known.find, texts)
        for line in (translation, f"cat: /tmp/x: {translation}")
    ]
    assert run_lsg("translate", "--to", target, stdin=source.encode()).lines == expected


KNOWN = {
    "Nov 28 09:00:01 web1 systemd[1]: Started Daily Cleanup.": (
        "Nov 28 09:00:01 web1 systemd[1]: Daily Cleanup wurde gestartet."
    ),
    "Nov 28 09:00:01 web1 sshd[12]: Failed password for root from 10.0.0.1 port 22 ssh2": (
        "Nov 28 09:00:01 web1 sshd[12]: Falsches Passwort für root von 10.0.0.1 Port 22 ssh2"
    ),
    "PermissionError: [Errno 13] Permission denied: '/root/x'": (
        "PermissionError: [Errno 13] Keine Berechtigung: '/root/x'"
    ),
    "  bash: foo: command not found": "  bash: foo: Befehl nicht gefunden",
    "make: *** No rule to make target 'x', needed by 'y'.": (
        "make: *** Keine Regel, um das Ziel 'x' zu erzeugen, das von 'y' benötigt wird."
    ),
    "All tests have passed": "Alle Tests wurden bestanden",
    "The house is small: Permission denied": "Das Haus ist klein: Keine Berechtigung",
}


def test_phrases_of_systems():
    result = run_lsg(*TO, "--floor", "none", stdin="\n".join(KNOWN).encode())
    assert result.lines == list(KNOWN.values())


def test_backwards():
    result = run_lsg(
        "translate", "--from", "fr", "--to", "en", stdin=b"Permission refus\xc3\xa9e\n"
    )
    assert result.text == "Permission denied\n"


def test_a_memory_of_ones_own(tmp_path: Path):
    file = tmp_path / "own.tsv"
    file.write_text("Permission denied\tFinger weg\nJob {} of {} failed\t{2}: {1} kaputt\n")
    source = b"cat: x: permission denied\nJob 7 of nightly failed.\nThe house is small.\n"
    result = run_lsg(*TO, "--memory", file, "--format", "jsonl", stdin=source)
    assert [each["prediction"] for each in segments(result.text)] == [
        "Finger weg",
        "nightly: 7 kaputt.",
        "Das Haus ist klein.",
    ]
    assert result.text.count('"reason":"known"') == 2
    file.write_text("no tab\n")
    check_error(run_lsg(*TO, "--memory", file), 1, "own.tsv:1: .*tab")
    check_error(run_lsg(*TO, "--memory", tmp_path / "none"), 1, "No such file")


def test_without_phrases_the_model_is_asked(tmp_path: Path):
    file = tmp_path / "stats.json"
    for options, known in (((), 1), (("--no-phrases",), 0)):
        run_lsg(*TO, *options, "--stats-json", file, stdin=b"Permission denied\n")
        assert json.loads(file.read_text())["segments_known"] == known
