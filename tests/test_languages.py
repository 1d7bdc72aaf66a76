"""``--from auto``: a line's language is told from its first words; other languages are copied."""

from __future__ import annotations

import json

import pytest
from conftest import run_lsg
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.errors import UsageError
from lsgcli.text.language import LanguageDetector, Router
from lsgcli.text.words import Item, Language, Newline, Word

LINES = {
    "en": ["I am going home now.", "Cannot open the file", "where are you?"],
    "de": ["Ich gehe jetzt nach Hause.", "Datei nicht gefunden", "wo bist du?"],
    "fr": ["Je rentre chez moi.", "Impossible d'ouvrir le fichier", "où es-tu ?"],
    "es": ["Ahora voy a casa.", "No se puede abrir el archivo", "¿dónde estás?"],
    "": ["Привет, как дела?", "今日はとても暑いです。", "Nie wiem, gdzie jest mój rower."],
}
WORDS = st.sampled_from(["Hello", "the", "ERROR", "12:30", "Haus", "ist", "x" * 120, "/tmp/a"])
ITEMS = st.lists(st.one_of(WORDS.map(Word), st.just(Newline())), max_size=60)


def told(text: str) -> tuple[str, bool]:
    """A language that is sure after two words."""
    return "de" if "Haus" in text else "en", " " in text


@given(ITEMS, st.booleans(), st.integers(1, 5))
def test_router_keeps_everything_and_tells_before_it_gives(items, by_line, size):
    router = Router(told, by_line=by_line)
    given_out: list[Item] = []
    for at in range(0, len(items), size):
        given_out += router.feed(items[at : at + size])
    given_out += router.flush()
    assert [item for item in given_out if not isinstance(item, Language)] == items
    assert not router.pending()
    known, empty = False, True
    for item in given_out:
        if isinstance(item, Language):
            assert not known, "a language is told once"
            known = True
        elif isinstance(item, Newline):
            known, empty = known and not (by_line or empty), True
        else:
            assert known, "no word without a language"
            empty = False


def test_paragraph_keeps_its_language_up_to_an_empty_line():
    router = Router(told, by_line=False)
    items: list[Item] = [
        Word("ist"),
        Word("Haus"),
        Newline(),
        Word("the"),
        Newline(),
        Newline(),
        Word("the"),
    ]
    out = [*router.feed(items), *router.flush()]
    codes = [item.code for item in out if isinstance(item, Language)]
    assert codes == ["de", "en"]


@pytest.mark.parametrize("language", LINES)
def test_languages_are_told_apart(language):
    detector = LanguageDetector(["en", "de", "fr", "es"])
    for line in LINES[language]:
        assert detector(line)[0] == language, line


def test_languages_that_nobody_knows():
    with pytest.raises(UsageError, match="cannot tell xx and yy apart"):
        LanguageDetector(["xx", "yy"])


def test_each_line_is_translated_or_copied():
    english = LINES["en"]
    mixed = [line for group in zip(*(LINES[of] for of in LINES), strict=True) for line in group]
    result = run_lsg("translate", "--from", "auto", "--to", "de", stdin="\n".join(mixed).encode())
    alone = run_lsg("translate", "--from", "en", "--to", "de", stdin="\n".join(english).encode())
    assert (result.code, result.stderr) == (0, "")
    translated = dict(zip(mixed, result.lines, strict=True))
    for line, expected in zip(english, alone.lines, strict=True):
        assert translated[line] == expected
    for line in (*LINES["de"], *LINES["fr"], *LINES["es"], *LINES[""]):
        assert translated[line] == line


def test_json_names_the_language():
    lines = f"{LINES['en'][0]}\n{LINES['de'][0]}\n".encode()
    result = run_lsg("translate", "--from", "auto", "--to", "de", "--format", "jsonl", stdin=lines)
    records = [json.loads(line) for line in result.lines]
    assert [each["language"] for each in records if each["type"] == "segment"] == ["en"]
    copied = [each["text"] for each in records if each.get("reason") == "protected"]
    assert " ".join(copied) == LINES["de"][0]


def test_words_are_translated_before_the_line_ends(live):
    process = live("--from", "auto", "--latency", "low")
    for word in ("I", "am", "going", "home", "now", "because", "it", "is", "late"):
        process.feed(word + " ", 0.02)
    process.until(bytes)
    assert process.finish().code == 0


def test_a_word_that_tells_nothing_waits_no_longer_than_idle(live):
    process = live("--from", "auto", "--idle", "0.2")
    process.feed("ERROR")
    process.until(lambda out: out == b"ERROR")
    process.feed(" Datei nicht gefunden\n")
    process.until(lambda out: out.endswith(b"gefunden\n"))
    assert process.finish().stdout == b"ERROR Datei nicht gefunden\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["translate", "--model", "digits-en"], "takes speech, not text"),
        (["tune", "--source", "x", "--target", "x"], "auto-de"),
    ],
)
def test_what_cannot_be_told(arguments, message):
    result = run_lsg(*arguments, "--from", "auto", "--to", "de")
    assert result.code in {2, 3}
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_characters_have_no_language(shared, tmp_path):
    (tmp_path / "manifest.toml").write_text(
        'version = 1\nkind = "encoder-decoder"\ndirections = ["ar-en"]\nlicence = "MIT"\n'
        '[source]\ntokenizer = {type = "characters"}\nunit = "character"\n'
        '[target]\nend = ["</s>"]\nunit = "character"\n[policy]\ndelta = 1\nalpha = 0.5\n[files]\n'
    )
    result = run_lsg("translate", "--from", "auto", "--to", "en", "--model", tmp_path)
    assert result.code == 2
    assert "--from auto needs words" in result.stderr
