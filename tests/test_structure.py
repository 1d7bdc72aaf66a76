"""What a line is: a corpus of lines as programs and people write them, and what of them stays.

In ``data/lines.txt`` a heading names the kind of the lines below it; ⟦these⟧ brackets stand around
what is prose. All that is outside of them must come through byte for byte, in its place.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from conftest import run_lsg
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.text.items import Finder
from lsgcli.text.spans import Prose
from lsgcli.text.structure.kinds import Kind
from lsgcli.text.structure.planner import Planner

CORPUS = (Path(__file__).parent / "data/lines.txt").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^⟦\n]+)\n((?:(?!## [^⟦\n]+\n).*\n)+)", CORPUS, re.MULTILINE))
PROSE = re.compile("⟦([^⟧]*)⟧")


def unmarked(text: str) -> str:
    return re.sub("[⟦⟧]", "", text)


def frame(line: str) -> re.Pattern[str]:
    """What a translation of the line is like; a sign at the end of prose may be another one."""
    outside = PROSE.split(line)[::2]
    return re.compile("(.+)".join(map(re.escape, outside)))


def test_the_corpus_is_large():
    assert len(SECTIONS) >= 40
    assert sum(bool(line) for text in SECTIONS.values() for line in text.splitlines()) >= 270


@pytest.mark.parametrize("kind", SECTIONS)
def test_prose_is_told_from_what_is_copied(kind):
    planner = Planner(Finder())
    for line in SECTIONS[kind].splitlines():
        text = unmarked(line)
        if not text.strip():
            planner.blank()
            continue
        spans = list(planner(text))
        assert "".join(span.text for span in spans) == text or '""' in text


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_all_that_is_no_prose_stays(language):
    lines = [line for text in SECTIONS.values() for line in [*text.splitlines(), ""]]
    source = "\n".join(map(unmarked, lines)) + "\n"
    result = run_lsg("translate", "--from", "en", "--to", language, stdin=source.encode())
    assert (result.code, result.stderr) == (0, "")
    spoilt, same = [], 0
    find = Finder()
    for line, written in zip(lines, result.lines, strict=True):
        match = frame(line).fullmatch(written)
        texts = PROSE.findall(line)
        if not match:
            spoilt.append((line, written))
            continue
        same += unmarked(line) == written and bool(texts)
        for text, translation in zip(texts, match.groups(), strict=True):
            items = [text[i.start : i.end] for i in find(text)]
            if any(translation.count(item) != text.count(item) for item in items):
                spoilt.append((line, written))
    assert spoilt == []
    assert same <= 0.1 * len(lines)


LINES = [
    *unmarked(CORPUS).splitlines(),
    "",
    "  ",
    "@@ -1,9 +1,9 @@",
    "```",
    "<!--",
    '"a',
    "a\t\tb ",
]


@given(st.lists(st.sampled_from(LINES), max_size=8), st.sampled_from(get_args(Kind)))
def test_spans_are_the_line_in_whatever_order_lines_come(lines, kind):
    planner = Planner(Finder(), kind)
    for line in lines:
        if not line.strip():
            planner.blank()
        elif spans := list(planner(line)):
            assert '""' in line or "".join(span.text for span in spans) == line


@pytest.mark.parametrize(
    "line", ["About 1,000,000 people live here.", "Could not open f(a,b,c): it is late", "a,b"]
)
def test_commas_make_no_row(line):
    assert "".join(span.text for span in Planner(Finder())(line) if isinstance(span, Prose)) == line


# ---------------------------------------------------------------- what one says of the input


def translated(source: str, *options: str) -> list[str]:
    result = run_lsg("translate", "--to", "de", *options, stdin=source.encode())
    assert (result.code, result.stderr) == (0, "")
    return result.lines


def test_named_fields_of_json():
    source = [
        '{"id": 17, "msg": "The house is small.", "x": "The house is small."}',
        '{"a":{"msg":"The house\\nis \\"small\\"."},"b":["c",{"msg":"Where is the dog?"}]}',
        '  "msg": "The house is small.",',
        '{"msg": null, "x": ["msg", "The dog"], "y": {"msg": 1.50}}',
        "The house is small.",
    ]
    lines = translated("\n".join(source), "--json-field", "msg")
    assert lines[0] == '{"id": 17, "msg": "Das Haus ist klein.", "x": "The house is small."}'
    inner = json.loads(lines[1])
    assert inner["a"]["msg"].count("\n") == 1
    assert inner["b"][0] == "c"
    assert lines[1].startswith('{"a":{"msg":"')
    assert lines[2] == '  "msg": "Das Haus ist klein.",'
    assert lines[3] == source[3]
    assert lines[4] == "Das Haus ist klein."
    assert translated(source[4], "--json-field", "msg", "--as", "json") == [source[4]]


def test_fields_inside_others_and_several():
    source = '{"a": {"m": "The house is small."}, "b": {"m": "The house is small."}, "n": "Yes."}'
    house = "Das Haus ist klein."
    expected = source.replace("The house is small.", house, 1).replace("Yes.", "Ja.")
    assert translated(source, "--json-field", "a.m,n") == [expected]
    assert translated(source, "--json-field", "a.m", "--json-field", "n") == [expected]


def test_json_stays_json():
    texts = ['He said "no" to me.', "C:\\x is \u00fc \U0001f600 small.", "It is\tlate.", "\n\n"]
    source = "\n".join(json.dumps({"m": text, "k": 1}) for text in texts)
    for line in translated(source, "--json-field", "m"):
        record = json.loads(line)
        assert record["k"] == 1
        assert isinstance(record["m"], str)


def test_csv_stays_csv():
    row = '1;"The ""old"" house is very small.";The dog is old and tired'
    (line,) = translated(row, "--as", "csv")
    assert re.fullmatch(r'1;"([^"]|"")+";[^";]+', line)
    assert line != row


def test_prose_is_prose_if_one_says_so():
    line = "E   The house is small."
    assert translated(line, "--as", "log") == [line]
    assert translated(line, "--as", "prose") != [line]


def test_markdown_of_several_lines():
    source = "---\ntitle: The house\n---\n\nThe house is small.\n\n    The house is small.\n"
    lines = translated(source, "--as", "md")
    assert lines[:4] == source.split("\n")[:4]
    assert lines[4:] == ["Das Haus ist klein.", "", "    The house is small."]


def test_tags_over_several_lines():
    source = '<a\n  href="The house"\n>The house is small.</a>\n<pre>\nThe house\n</pre>\n'
    lines = translated(source, "--as", "html")
    assert lines[2] == ">Das Haus ist klein.</a>"
    assert lines[:2] + lines[3:] == [*source.split("\n")[:2], "<pre>", "The house", "</pre>"]


def test_subtitles():
    source = (
        "WEBVTT\n\nNOTE The house\nis small.\n\n1\n00:01.000 --> 00:02.000\nThe house is small."
    )
    lines = translated(source, "--as", "srt")
    assert lines == [*source.split("\n")[:-1], "Das Haus ist klein."]


def test_structured_lines_are_waited_for(live):
    lsg = live("--as", "csv")
    lsg.feed("1,The house is", pause=0.5)
    lsg.feed(" very small.,x\n")
    result = lsg.finish()
    assert result.lines[0].startswith("1,")
    assert result.lines[0].endswith(".,x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--as", "csv", "--no-protect"), "--as has no effect with --no-protect"),
        (("--json-field", "a", "--no-protect"), "--json-field has no effect with --no-protect"),
        (("--as", "csv", "--json-field", "a"), "--json-field has no effect with --as csv"),
        (("--as", "md", "--segment", "sentence"), "--as is about lines"),
        (("--json-field", "a,,b"), "a name is empty"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    result = run_lsg("translate", "--to", "de", *options)
    assert result.code == 2
    assert message in result.stderr
