"""Parallel text: what is read, what is left out, how often a source is seen.

A file is named ``NAME.en-de.tsv`` (or ``.tsv.gz``) and has three columns: the id of its source, the
text in the first language, the text in the second.
"""

from __future__ import annotations

import gzip
import random
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from variety import somebody

from lsgcli.text.items import Finder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

NAME = re.compile(r".+\.([a-z]{2,3})-([a-z]{2,3})\.tsv(?:\.gz)?")
BLANKS = re.compile(r"\s+")
PLACEHOLDERS = ("{0}", "{1}", "{2}", "{3}")
CHARACTERS = 400  # the longest side of a pair
SENTENCES = ("tatoeba",)
PHRASES, PHRASE = "phrases", 6  # their source id and kind
WRITTEN, WRITTEN_KIND = "written", 7  # of written.py
SOMEBODY, NAMED = "<name>", 15  # in a phrase, and how often it comes with another name
SHORT = 3  # words; fewer are a label of a user interface rather than a sentence


@dataclass(frozen=True)
class Pair:
    """Two texts that mean the same."""

    origin: str  # the source id
    languages: tuple[str, str]
    texts: tuple[str, str]


@dataclass(frozen=True)
class Weights:
    """How often a pair is seen, an epoch, by what it is.

    ``sentences``: of a source of plain sentences. ``messages``: of software and manuals, in the
    main files; ``manuals``: in the extra ones. ``labels`` multiplies for fewer than SHORT words.
    ``phrases``: what everybody says, see ``phrases``. ``written``: see written.py.
    """

    sentences: float = 1.0
    messages: float = 0.5
    manuals: float = 0.12
    labels: float = 1.0
    phrases: float = 20.0
    written: float = 1.0

    def by_kind(self) -> tuple[float, ...]:
        """A weight for each number that ``kind`` gives."""
        plain = (self.sentences, self.messages, self.manuals)
        short = (self.sentences, *(self.labels * weight for weight in plain[1:]))
        return (*plain, *short, self.phrases, self.written)


def kind(pair: Pair, *, extra: bool) -> int:
    """What a pair is: a place in ``Weights.by_kind``."""
    if pair.origin == PHRASES:
        return PHRASE
    if pair.origin == WRITTEN:
        return WRITTEN_KIND
    plain = 0 if pair.origin in SENTENCES else 2 if extra else 1
    return plain + (3 if pair.texts[0].count(" ") < SHORT - 1 else 0)


def read(path: Path) -> Iterator[Pair]:
    """Give the pairs of a file. Raises SystemExit for a name or a line that is not as it should."""
    if not (name := NAME.fullmatch(path.name)):
        raise SystemExit(f"{path}: the name must end with the languages, as in NAME.en-de.tsv.gz")
    languages = (name[1], name[2])
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as lines:
        for number, line in enumerate(lines, 1):
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 3:
                raise SystemExit(f"{path}:{number}: {len(columns)} columns instead of 3")
            texts = (BLANKS.sub(" ", columns[1]).strip(), BLANKS.sub(" ", columns[2]).strip())
            yield Pair(columns[0], languages, texts)


def phrases(path: Path, languages: Iterable[tuple[str, str]]) -> Iterator[Pair]:
    """Give the pairs of a table with a column for each language, named in its first line.

    Each as it is, without the mark at its end, and in small letters: as it is typed in a chat.
    Those about a ``<name>`` come with several.
    """
    names, *lines = path.read_text(encoding="utf-8").splitlines()
    rng = random.Random(1)
    filled = [
        line.replace(SOMEBODY, somebody(rng))
        for line in lines
        for _ in range(NAMED if SOMEBODY in line else 1)
    ]
    rows = [dict(zip(names.split("\t"), line.split("\t"), strict=True)) for line in filled]
    for pair in languages:
        for row in rows:
            texts = [row[language] for language in pair]
            bare = [re.sub(r"^[¿¡]|\s*[.!?,:]$", "", text) for text in texts]
            for first, second in dict.fromkeys(map(tuple, (texts, bare, map(str.lower, bare)))):
                yield Pair(PHRASES, pair, (first, second))


def lines_of(folder: Path, name: str, direction: str) -> tuple[Path, Path] | None:
    """The source and target files of a set, named after the pair in either order, if it is there.

    ``tatoeba.en-de.de`` and ``tatoeba.en-de.en`` for ``de-en``.
    """
    source, target = direction.split("-")
    for pair in (f"{source}-{target}", f"{target}-{source}"):
        files = (folder / f"{name}.{pair}.{source}", folder / f"{name}.{pair}.{target}")
        if all(file.exists() for file in files):
            return files
    return None


def sound(pair: Pair) -> bool:
    """Whether the texts can be translations of each other."""
    first, second = pair.texts
    if not first or not second or max(len(first), len(second)) > CHARACTERS:
        return False
    if first == second and " " in first:  # left untranslated
        return False
    longer, shorter = max(len(first), len(second)), min(len(first), len(second))
    return longer <= 3 * shorter + 10 and any(map(str.isalpha, first))


def key(text: str) -> str:
    """What two texts share that differ only in case and punctuation."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())


def keys(folders: Iterable[Path]) -> set[str]:
    """The keys of all lines that are kept for development and tests."""
    files = (path for folder in folders for path in folder.iterdir())
    texts = (line for path in files for line in path.read_text(encoding="utf-8").splitlines())
    return {each for each in map(key, texts) if each.count(" ") >= SHORT - 1}


def protected(text: str, spelt: Callable[[str], bool] = lambda _: False) -> list[str]:
    """What lsg would show to the model as a placeholder: what it protects and what is ``spelt``."""
    items = Finder(spelt=spelt)(text)
    return [text[item.start : item.end] for item in items if not item.shown]


def masked(
    texts: tuple[str, str], spelt: Callable[[str], bool] = lambda _: False
) -> tuple[str, str] | None:
    """The pair with placeholders for what is protected, the same on both sides; None if it is not.

    >>> masked(("Failed to open %s: %d", "%s: %d konnte nicht geöffnet werden"))
    ('Failed to open {0}: {1}', '{0}: {1} konnte nicht geöffnet werden')
    >>> masked(("Save /tmp/x", "Speichern")) is None
    True
    """
    first, second = texts
    words = list(dict.fromkeys(protected(first, spelt)))
    if not words or len(words) > len(PLACEHOLDERS) or set(protected(second, spelt)) != set(words):
        return None
    for word, placeholder in sorted(zip(words, PLACEHOLDERS, strict=False), key=_longest_first):
        if first.count(word) != 1 or second.count(word) != 1:
            return None
        first, second = first.replace(word, placeholder), second.replace(word, placeholder)
    return first, second


def _longest_first(named: tuple[str, str]) -> int:
    return -len(named[0])
