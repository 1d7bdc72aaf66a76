"""The translation memory: what it knows, in all the places where it stands."""

from __future__ import annotations

import csv
import errno
import os
import signal
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from lsgcli.errors import InputError
from lsgcli.text.items import Finder
from lsgcli.text.memory import PHRASES, SLOT, Memory, of_direction, read, system_phrases

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = ("de", "fr", "es")
ONE_WORD = {"OK", "Processing", "Early Hints", "Multi-Status", "Already Reported", "IM Used"} | {
    "See Other",
    "Use Proxy",
    "Too Early",
    "Gone",  # which may be said of anybody
    "Variant Also Negotiates",
}


@pytest.mark.parametrize("target", LANGUAGES)
def test_every_text_of_strerror_is_known(target):
    found = of_direction("en", target)
    texts = [os.strerror(number) for number in errno.errorcode]
    assert [text for text in texts if not found.find(text)] == []
    assert [text for text in texts if found.find(text) == text] == []


@pytest.mark.parametrize("target", LANGUAGES)
def test_signals_and_http(target):
    found = of_direction("en", target)
    signals = [signal.strsignal(number) for number in signal.valid_signals()]
    assert [text for text in signals if text and not found.find(text)] == []
    answers = [status.phrase for status in HTTPStatus if status.phrase not in ONE_WORD]
    assert [text for text in answers if not found.find(text)] == []


def test_the_table_is_whole():
    """Four fields a row, the same slots in each, no text twice."""
    with PHRASES.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert header == ["en", *LANGUAGES]
    for row in rows:
        assert len(row) == 4, row
        assert all(field and field == field.strip() for field in row), row
        counts = {len(list(SLOT.finditer(field))) for field in row}
        assert len(counts) == 1, row
    texts = [row[0].casefold() for row in rows]
    assert sorted(texts) == sorted(set(texts))


@pytest.mark.parametrize("target", LANGUAGES)
def test_what_is_protected_survives(target):
    """Every item of an entry is in its translation as often, byte for byte."""
    find = Finder()

    def items(text: str) -> Counter[str]:
        found = (text[item.start : item.end] for item in find(text))
        return Counter(item for item in found if not SLOT.search(item))

    for source, translation in system_phrases("en", target):
        assert items(source) == items(translation)


@pytest.mark.parametrize("other", LANGUAGES)
def test_backwards_it_gives_a_text_of_the_same_meaning(other):
    """Two texts may have one translation; then the first one comes back."""
    forth, back = of_direction("en", other), of_direction(other, "en")
    for source, translation in system_phrases("en", other):
        if not SLOT.search(source):
            again = back.find(translation)
            assert again
            assert str(forth.find(again)).casefold() == str(forth.find(source)).casefold()


PLACES = {
    "Permission denied": "Keine Berechtigung",
    "permission denied": "Keine Berechtigung",
    "PERMISSION DENIED": "KEINE BERECHTIGUNG",
    "Permission   denied.": "Keine Berechtigung.",
    "Command not found": "Befehl nicht gefunden",
    "404 Not Found": "404 Nicht gefunden",
    "[Errno 13] Permission denied": "[Errno 13] Keine Berechtigung",
    "Too many references: cannot splice": "Zu viele Referenzen: Verbinden nicht möglich",
    "Started Daily Cleanup.": "Daily Cleanup wurde gestartet.",
    "New session 7 of user anna.": "Neue Sitzung 7 des Benutzers anna.",
    "Your branch is ahead of 'origin/main' by 2 commits.": (
        "Ihr Branch ist 'origin/main' um 2 Commits voraus."
    ),
    "The house is small.": None,
    "Starting the server...": None,  # prose, no name
    "": None,
    "...": None,
}


@pytest.mark.parametrize("text", PLACES)
def test_a_whole_text(text):
    pieces = of_direction("en", "de").split(text)
    assert [piece.translation for piece in pieces] == ([PLACES[text]] if PLACES[text] else [])


PARTS = {
    "cat: house: Permission denied": ["cat", ": ", "house", ": ", "Permission refusée"],
    "open x: permission denied": [None, ": ", "permission refusée"],
    "Permission denied: '/tmp/x'": ["Permission refusée", ": ", "'/tmp/x'"],
    "read error (Connection refused)": ["erreur de lecture", " (Connexion refusée)"],
    "I was told: Permission denied": [None, ": ", "Permission refusée"],
    "I was told that the permission was denied": [],
    ": ".join("abcdefghijkl"): [],
}


@pytest.mark.parametrize("text", PARTS)
def test_a_part_of_a_text(text):
    pieces = of_direction("en", "fr").split(text)
    assert [piece.translation for piece in pieces] == PARTS[text]
    assert "".join(piece.text for piece in pieces) == (text if pieces else "")


def test_the_users_entries_come_first(tmp_path: Path):
    file = tmp_path / "own.tsv"
    file.write_text(
        "# ours\nPermission denied\tDarfst du nicht\n\nJob %s of %s is done\t%2$s: %1$s fertig\n",
        encoding="utf-8",
    )
    found = of_direction("en", "de", read(file))
    assert found.find("permission denied") == "Darfst du nicht"
    assert found.find("Job 7 of 'my queue' is done!") == "'my queue': 7 fertig!"
    assert found.find("File exists") == "Die Datei existiert bereits"


BAD = {
    "one": ":1: not a text, a tab and its translation",
    "a\tb\nc\td\te": ":2: not a text",
    "a\t": ":1: not a text",
    "a {}\tb {} {}": ":1: .*slot",
    "a {}\tb {2}": ":1: .*slot",
    "{} {}\t{} {}": ":1: nothing but slots",
}


@pytest.mark.parametrize("text", BAD)
def test_a_wrong_file(text, tmp_path: Path):
    file = tmp_path / "own.tsv"
    file.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=BAD[text]):
        read(file)


def test_a_file_that_is_not_utf8(tmp_path: Path):
    file = tmp_path / "own.tsv"
    file.write_bytes(b"caf\xe9\tx\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read(file)


def test_nothing_for_languages_that_are_not_there():
    assert not of_direction("en", "ja")
    assert not Memory([])
    assert Memory([]).split("Permission denied") == []
