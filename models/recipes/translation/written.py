"""Sentences written for the recipe, and many more made of templates and lists of words.

A folder has four tables of English and German. ``sentences.tsv``: pairs as they are.
``words.tsv``: a class, the English word, the German one, a noun with its article (and behind a
``/`` its form in the other cases, where it has one). ``verbs.tsv``: a class, three forms in
English, three in German. ``templates.tsv``: pairs with slots, which both sides fill alike::

    The <person> has <done work> the <doc>.   <Der person> hat <den doc> <done work>.

A slot of English is a class of words (``<doc>``, with its article ``<a doc>``) or a form of a verb
(``<do work>``, ``<done work>``, ``<doing work>``). In German the article stands in the form that a
masculine noun has: it says the case, and becomes what the noun needs. ``<er doc.>``, with a dot, is
the pronoun alone. A digit behind a class tells two words of it apart. ``<n>`` and ``<v>`` are a
noun and a verb that suits it. ``<name>`` is somebody, ``<number>`` and ``<date>`` are drawn.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from variety import somebody

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

SLOT = re.compile(r"<([^<>]+)>")
SUITED = (  # the class of a verb, and of the nouns that suit it
    *(("it", "it"), ("work", "doc"), ("goods", "thing"), ("plan", "event")),
    *(("funds", "money"), ("matter", "topic"), ("people", "person")),
)
ENGLISH_FORMS, GERMAN_FORMS = ("do", "done", "doing"), ("do", "done", "to do")  # of a verb
REPEATED = 6  # how often a sentence is there: each time it may be varied in another way
DRAWN = 30  # how often a template with one slot is filled; with two, four times as often
GENDERS = ("der", "die", "das")
FEMININE = 1
# What masculine, feminine and neuter nouns have, for each form of a masculine article or pronoun.
FORMS = (
    *("der die das", "den die das", "dem der dem", "des der des", "er sie es", "ihn sie es"),
    *("dieser diese dieses", "diesen diese dieses", "diesem dieser diesem"),
)
ARTICLES = {forms.split(" ")[0]: forms.split(" ") for forms in FORMS}
ENDINGS = {"": ("", "e", ""), "en": ("en", "e", ""), "em": ("em", "er", "em")}
LIKE_EIN = re.compile(r"(?i)(ein|kein|mein|dein|ihr|unser)(|en|em)")  # which have these endings
NOMINATIVE = re.compile(r"(?i)der|dieser|ein|kein|mein|dein|ihr|unser")
HISSING = ("s", "ß", "z", "x", "sch")  # nouns that have -es in the genitive
CONTRACTED = {"zu dem ": "zum ", "zu der ": "zur ", "in dem ": "im ", "von dem ": "vom "}


@dataclass(frozen=True)
class Word:
    """A word or the infinitive of a verb in both languages."""

    english: dict[str, str]  # by the form that is asked for; "" the word as it is
    german: dict[str, str]
    gender: int | None = None  # of a noun, a place in GENDERS
    oblique: str = ""  # a noun in all cases but the first


Lists = dict[str, list[Word]]  # by the class of a word, or "do" and that of a verb


def written(folder: Path, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Give the pairs of a folder, English first. Raises SystemExit for a slot that nothing fits."""
    lists = read(folder)
    for english, german in rows(folder / "sentences.tsv"):
        yield from [(english, german)] * REPEATED
    for english, german in rows(folder / "templates.tsv"):
        for _ in range(DRAWN * len(set(SLOT.findall(english))) ** 2):
            yield filled(english, german, lists, rng)


def rows(path: Path) -> Iterator[list[str]]:
    """Give the columns of a table's lines."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield line.split("\t")


def read(folder: Path) -> Lists:
    """The words and verbs of a folder."""
    lists = defaultdict[str, list[Word]](list)
    for kind, english, german in rows(folder / "words.tsv"):
        lists[kind].append(word(english, german))
    for kind, *forms in rows(folder / "verbs.tsv"):
        sides = forms[: len(ENGLISH_FORMS)], forms[len(ENGLISH_FORMS) :]
        english_forms, german_forms = (
            dict(zip(names, side, strict=True))
            for names, side in zip((ENGLISH_FORMS, GERMAN_FORMS), sides, strict=True)
        )
        lists[f"do {kind}"].append(Word(english_forms, german_forms))
    return dict(lists)


def word(english: str, german: str) -> Word:
    """A line of the list of words.

    >>> kunde = word("customer", "der Kunde/Kunden")
    >>> kunde.german, GENDERS[kunde.gender], kunde.oblique
    ({'': 'Kunde'}, 'der', 'Kunden')
    """
    article = "an" if english[0].lower() in "aeiou" else "a"
    forms = {"": english, "a": f"{article} {english}"}
    gender, _, noun = german.partition(" ")
    if gender not in GENDERS or not noun[:1].isupper():
        return Word(forms, {"": german})
    plain, _, oblique = noun.partition("/")
    return Word(forms, {"": plain}, GENDERS.index(gender), oblique or plain)


def filled(english: str, german: str, lists: Lists, rng: random.Random) -> tuple[str, str]:
    """A template with words drawn for its slots. Raises SystemExit for a slot that nothing fits."""
    suited = dict(zip(("v", "n"), rng.choice(SUITED), strict=True))
    drawn: dict[str, Word] = {}

    def chosen(slot: str) -> tuple[str, Word]:
        """The form that the slot asks for, and its word, the same wherever its name is."""
        form, _, name = slot.rstrip(".").rpartition(" ")
        verb = "do " if form.lower() in (*ENGLISH_FORMS, *GERMAN_FORMS) else ""
        kind = name.rstrip("0123456789")
        if verb + name not in drawn:
            drawn[verb + name] = draw(verb + suited.get(kind, kind), lists, rng)
        return form, drawn[verb + name]

    def in_english(found: re.Match[str]) -> str:
        form, word = chosen(found[1])
        text = word.english[form.lower()]
        return text.capitalize() if form[:1].isupper() else text

    def in_german(found: re.Match[str]) -> str:
        form, word = chosen(found[1])
        if form.lower() in word.german:
            text = word.german[form.lower()]  # a verb with a capital is a noun: beim Neuladen
            return text.capitalize().replace(" ", "") if form[:1].isupper() else text
        return declined(form, word, alone=found[1].endswith("."))

    first, second = SLOT.sub(in_english, english), SLOT.sub(in_german, german)
    for long, short in CONTRACTED.items():
        second = second.replace(long, short)
    return first[0].upper() + first[1:], second[0].upper() + second[1:]


def draw(kind: str, lists: Lists, rng: random.Random) -> Word:
    """A word of a class, a name or a number. Raises SystemExit if there is no such class."""
    if kind == "name":
        name = somebody(rng)
        return Word({"": name}, {"": name})
    if kind in ("number", "date"):
        number = str(rng.randint(2, 31 if kind == "date" else rng.choice((9, 99, 999))))
        return Word({"": number}, {"": number})
    if kind not in lists:
        raise SystemExit(f"there are no words of the class {kind!r}")
    return rng.choice(lists[kind])


def declined(form: str, noun: Word, *, alone: bool = False) -> str:
    """A noun behind its article, whose form for a masculine noun is given, or that article alone.

    >>> declined("den", word("customer", "der Kunde/Kunden"))
    'den Kunden'
    >>> declined("Ihrem", word("invoice", "die Rechnung"))
    'Ihrer Rechnung'
    >>> declined("des", word("test", "der Test"))
    'des Tests'
    """
    if noun.gender is None:
        raise SystemExit(f"{noun.german['']!r} has no article, and no form {form!r}")
    if like := LIKE_EIN.fullmatch(form):
        article = like[1] + ENDINGS[like[2].lower()][noun.gender]
    else:
        article = ARTICLES[form.lower()][noun.gender]
    article = article.capitalize() if form[0].isupper() else article
    if alone:
        return article
    plain = noun.german[""]
    text = plain if NOMINATIVE.fullmatch(form) else noun.oblique
    if form.lower() == "des" and noun.gender != FEMININE and text == plain:
        text += "es" if text.endswith(HISSING) else "s"
    return f"{article} {text}"
