"""Complete sentences: every item survives, whatever the model does, in all directions."""

from __future__ import annotations

import pytest
from conftest import run_lsg
from samples import lost, samples

from lsgcli.text.items import Finder
from lsgcli.text.line.elements import Element
from lsgcli.text.line.mask import form, parts, pieces
from lsgcli.text.line.sentences import Cutter, Sentence
from lsgcli.text.segmenter import Limits
from lsgcli.text.spans import Copy

DIRECTIONS = ["en-de", "de-en", "en-fr", "en-es", "fr-en", "es-en"]
PLACEHOLDERS = ["{0}", "{1}", "{2}", "{3}"]
LIMITS = Limits(96, lambda word: 1 + len(word) // 4, "en")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_no_item_is_lost(direction):
    source, target = direction.split("-")
    lines = samples(source, 120)
    text = "\n".join(sample.line for sample in lines).encode()
    result = run_lsg("translate", "--from", source, "--to", target, stdin=text)
    assert (result.code, result.stderr) == (0, "")
    for sample, line in zip(lines, result.lines, strict=True):
        assert lost(sample, line) == [], (sample.line, line)
    copied = sum(sample.line == line for sample, line in zip(lines, result.lines, strict=True))
    assert copied <= 0.1 * len(lines)  # they are translated all the same


def sentence(text: str) -> Sentence:
    (part,) = Cutter(Finder(), LIMITS)(text)
    assert isinstance(part, Sentence)
    return part


def shown(text: str, *, hide_numbers: bool = False) -> str | None:
    made = form(sentence(text), PLACEHOLDERS, hide_numbers=hide_numbers)
    return " ".join(made.words) if made else None


def test_numbers_are_shown_first_and_hidden_then():
    text = "Copy 5 of a.txt to 10.0.0.1, please"
    assert shown(text) == "Copy 5 of {0} to {1}, please"
    assert shown(text, hide_numbers=True) == "Copy {0} of {1} to {2}, please"


def test_neighbours_are_hidden_together_with_the_marks_around_them():
    assert shown("It says 'a.c' (b.c) + c.c: no") == "It says {0}: no"


def test_placeholders_of_the_text_are_not_mixed_up():
    made = form(sentence("Copy {1} to a.c now"), PLACEHOLDERS, hide_numbers=False)
    assert made
    assert " ".join(made.words) == "Copy {0} to {1} now"
    assert made.accepts("{1} nach {0}")
    assert made.restore("{1} nach {0}", {"{0}": "{1}", "{1}": "a.c"}) == "a.c nach {1}"


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        ("Nimm 5 von {0} und 7", True),
        ("{0} 7 5", True),
        ("Nimm 5 von {0}", False),
        ("Nimm 5 von {0} und 7, 7", False),
        ("Nimm 5 von {0} und 7 {0}", False),
        ("Nimm 5 von {0} und 7 {1}", False),
        ("Nimm 5 von {0} und 17", False),
        ("Nimm 5 von {0} und 7 a.c", False),
        ("", False),
    ],
)
def test_what_is_accepted(written, accepted):
    made = form(sentence("Take 5 of a.c and 7"), PLACEHOLDERS, hide_numbers=False)
    assert made
    assert made.accepts(written) is accepted


def test_a_number_for_a_word_is_accepted_where_there_are_no_items():
    made = form(sentence("He is twenty"), PLACEHOLDERS, hide_numbers=False)
    assert made
    assert made.accepts("Er ist 20")


def test_too_many_items_make_several_parts():
    assert shown("See a.py b c.py d e.py f g.py h i.py") is None
    text = "See a.py and c.py, then e.py or g.py, but i.py and k.py"
    cut = parts(sentence(text), 4)
    assert [p.text for p in cut] == ["See a.py and c.py, then e.py or g.py,", "but i.py and k.py"]
    assert isinstance(cut[1], Sentence)
    assert cut[1].before == " "


def test_pieces_are_the_whole_sentence():
    text = "Copy (a.py), to b.py; and 5 now!"
    found = [piece for piece in pieces(sentence(text)) if not isinstance(piece, Element)]
    whole = "".join(p.text if isinstance(p, Copy) else p.before + p.text for p in found)
    assert whole == text
    assert [p.text for p in found if isinstance(p, Sentence)] == ["Copy", "to", "and", "now!"]


def test_numbers_come_through_or_stay():
    source = ["I paid $100 for it.", "We need 1024 of them.", "Room 101", "Call 555-0199 or 1.5"]
    result = run_lsg("translate", "--to", "de", stdin="\n".join(source).encode())
    for number, line in zip(["$100", "1024", "101", "555-0199"], result.lines, strict=True):
        assert line.count(number) == 1, line


def test_no_item_of_a_line_that_arrives_word_by_word_is_lost():
    lines = samples("en", 60)
    text = "\n".join(sample.line for sample in lines).encode()
    result = run_lsg("translate", "--to", "de", "--pace", "0", stdin=text)
    assert (result.code, result.stderr) == (0, "")
    for sample, line in zip(lines, result.lines, strict=True):
        assert lost(sample, line) == [], (sample.line, line)


def test_a_sign_of_markup_inside_an_attribute_ends_no_tag():
    line = 'We need <a href="p->next">this</a> for the new car!'
    (written,) = run_lsg("translate", "--to", "de", stdin=line.encode()).lines
    assert written.count('<a href="p->next">') == written.count("</a>") == 1
