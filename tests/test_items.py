"""Items: each kind is found wherever it stands, in linear time, and nothing else is."""

from __future__ import annotations

import time

import pytest
from conftest import run_lsg
from samples import samples

from lsgcli.errors import UsageError
from lsgcli.text.items import KINDS, PLAIN, Finder
from lsgcli.text.line.elements import nest
from lsgcli.text.line.sentences import Cutter, Sentence
from lsgcli.text.segmenter import Limits
from lsgcli.text.spans import Copy
from lsgcli.text.structure.code import is_code
from lsgcli.text.structure.planner import Planner

EXAMPLES = [example for kind in KINDS for example in kind.examples]
SIGNS = set("|[]<`{ ")
WITHIN = [each for each in EXAMPLES if each not in PLAIN.examples and not set(each) & SIGNS]


def found(text: str, *extra: str) -> list[str]:
    return [text[item.start : item.end] for item in Finder(extra)(text)]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("around", ["saw {} here", "{}", "saw {}.", "({}) was", 'a "{}", b'])
def test_every_example_is_an_item(example, around):
    items = found(around.format(example) if "{}" in around else example)
    assert len(items) == 1
    assert items[0] in example if example in PLAIN.examples else example in items[0]


@pytest.mark.parametrize("example", WITHIN)
@pytest.mark.parametrize("around", ["[word]({})", "<b>{}</b>", "“{}”", "word ({}): more", "‘{}’"])
def test_items_are_found_inside_words(example, around):
    text = around.format(example)
    assert any(example in item for item in found(text)), found(text)


PROSE = """\
The house is small, and the garden (behind it) is large.
I don't know; she said "no" -- or perhaps 'yes' - to the file(s).
Mr. Smith and Dr. Jones, Ph.D., met in the U.S. on a Monday.
Well... what? No! Yes: it's John's mother-in-law, e.g. or i.e. so-called.
Is this an error, a warning or information? ERROR is critical.
"Hello," he said (quietly). [He smiled.] *Really*?
Jean-Paul O'Neill, naïve café, Straße, half-time, and/or
L'été, c'est-à-dire aujourd'hui ; « bonjour » ! ¿Qué? ¡Sí!"""


@pytest.mark.parametrize("line", PROSE.split("\n"))
def test_prose_has_no_items(line):
    assert found(line) == []


def test_numbers_are_shown():
    text = "In the 1990s 5 men paid 1,024 for 2.5 of the 21st"
    assert [text[i.start : i.end] for i in Finder()(text) if i.shown] == [
        *("1990", "5", "1,024", "2.5", "21")
    ]


def test_patterns_of_the_user():
    assert found("Dear Foo, see Bar-x (FOO)", "Foo", r"Bar-\w", "(?i)foo") == [
        "Foo",
        "Bar-x",
        "(FOO)",
    ]
    with pytest.raises(UsageError, match=r"--protect-regex '\('"):
        Finder(("(",))


def test_markup_with_the_words_it_holds():
    text = "See [the guide](https://x.y/a) or <b>press <kbd>C</kbd></b>, **now**; a * b * c"
    items = [text[i.start : i.end] for i in nest(text, Finder()(text))]
    assert items == ["[the guide](https://x.y/a)", "<b>press <kbd>C</kbd></b>", "**now**"]


LIMITS = Limits(96, lambda word: 1 + len(word) // 4, "en")


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_sentences_are_the_whole_text(language):
    cut = Cutter(Finder(), LIMITS)
    for sample in samples(language, 200):
        text = f"  {sample.line} {sample.line}  "
        parts = [p.text if isinstance(p, Copy) else p.before + p.text for p in cut(text)]
        assert "".join(parts) == text
        for part in cut(text):
            if isinstance(part, Sentence):
                assert part.text == part.text.strip()
                ends = [end for item in part.items for end in (item.start, item.end)]
                assert ends == sorted(ends)


@pytest.mark.parametrize("text", ["This is `a!\tb` for you.", "`🙂\t` is what a b c says."])
def test_no_sentence_is_cut_inside_an_item_with_a_tab(text):
    for part in Cutter(Finder(), LIMITS)(text):
        for item in getattr(part, "items", ()):
            assert 0 <= item.start < item.end <= len(part.text)


def test_a_sentence_ends_behind_what_markup_holds():
    cut = Cutter(Finder(), LIMITS)
    parts = [
        p.text
        for p in cut("<b>It is late.</b> We go. See main.py. It is.")
        if isinstance(p, Sentence)
    ]
    assert parts == ["It is late.", "We go.", "See main.py.", "It is."]


HOSTILE = [
    *(")", "]", "}", "Stop: )", "<a ", "<b>", "`", "{{", "](", "[", "a.a.", "$(", "a@", "http://"),
    *("12 7 ", "%(", "&a", "<!--", '"', '="', 'a="', "\\", "| ", "  x", "\t", ", ", ",;", "*", "_"),
    *("at (", "- ", "# ", "é", "a/", "a:", "::", "0", "-1", "E", "Aa", "\x1b[", "~~ ", "** "),
]


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_time_is_linear(piece):
    """Four times as much takes hardly more than four times as long, for all stages of a line."""
    planner, cut = Planner(Finder()), Cutter(Finder(), LIMITS)

    def measured(count: int) -> float:
        line, best = "Stop: " + piece * (count // len(piece)), 1e9
        for _ in range(3):
            since = time.process_time()
            is_code(line)
            for span in planner(line):
                list(cut(span.text))
            best = min(best, time.process_time() - since)
        return best

    assert measured(16_000) < 8 * measured(4_000) + 0.05


def test_the_table_of_kinds():
    result = run_lsg("translate", "--help-protect")
    assert (result.code, result.stderr) == (0, "")
    assert len(result.lines) == len(KINDS)
    for kind, line in zip(KINDS, result.lines, strict=True):
        assert line.startswith(kind.name)
        assert all(example in line for example in kind.examples)
