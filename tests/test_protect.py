"""What is protected: all that must come through byte for byte, and no prose."""

from __future__ import annotations

import pytest
from conftest import run_lsg
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.errors import UsageError
from lsgcli.text.protect import Protector
from lsgcli.text.words import Word, WordSplitter


def decided(line: str, *extra: str) -> list[tuple[Word, bool]]:
    protector = Protector(extra)
    words = [item for item in WordSplitter().feed(line + "\n") if isinstance(item, Word)]
    result = [pair for word in words for pair in protector.feed(word)]
    return result + list(protector.end())


def protected(line: str, *extra: str) -> list[str]:
    return [word.text for word, is_protected in decided(line, *extra) if is_protected]


def prose(line: str) -> str:
    return " ".join(word.text for word, is_protected in decided(line) if not is_protected)


# Each of these stands in the middle of a sentence, where nothing but itself can protect it.
KEPT = {
    "time": "2026-11-23 2026-11-23T02:45:34Z 2026-11-23T02:45:34.123+01:00 02:45:34 02:45:34,123 "
    "23/Nov/2026:02:45:34 11/23/2026",
    "address": "10.0.0.1 10.0.0.1:8080 192.168.0.0/16 fe80::1 2001:db8::1/32 00:1a:2b:3c:4d:5e",
    "id": "123e4567-e89b-42d3-a456-426614174000 0x7ffe1234 deadbeef01 4f2a9c1 #4711 @user 1234567",
    "path": "/var/log/syslog ~/x ./configure ../a/b C:\\Windows\\x src/main/app.py config.yaml "
    "main.c:17:3 a/b/c lib/",
    "url": "https://example.org/a?b=c#d http://localhost:8080 ftp://x.y www.example.org a@b.org",
    "number": "30ms 1.5s 80% 16GB 4KiB/s 2.4GHz 1,024kB 60fps -40°C 12V",
    "version": "v1 v2.3.4 1.2.3 1.2.3-rc1",
    "code": "key=value k= user_id _x Foo::bar p->next f() f(x) obj.method() java.util.List "
    "app.db.pool --verbose -x --size=3 `code` foo(a,b)",
    "placeholder": "%s %d %5.2f %(name)s %1$s {name} {} {{x}} ${HOME} $HOME %ld %% &amp; &#39;",
    "tag": "<b> </b> <br/>",
}


@pytest.mark.parametrize("word", [w for line in KEPT.values() for w in line.split()])
def test_kept_inside_a_sentence(word):
    assert protected(f"Then we saw {word} in the output") == [word]


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ('"', '"'), ("'", "'"), ("", "."), ("", ","), ("(", ").")]
)
@pytest.mark.parametrize("word", ["10.0.0.1", "/var/log", "my_file", "30ms", "https://x.org/a"])
def test_kept_with_punctuation_around(opening, closing, word):
    assert protected(f"We saw {opening}{word}{closing} Then it went on") == [
        f"{opening}{word}{closing}"
    ]


GROUPS = {
    "It took 30 ms to load": ["30", "ms"],
    "It took 1,500 ms.": ["1,500", "ms."],
    "Use (16 GB) or more": ["(16", "GB)"],
    "Type `git commit -a` now": ["`git", "commit", "-a`"],
    'Then <a href="x"> comes': ["<a", 'href="x">'],
    'Sent "GET /a HTTP/1.1" to it': ['"GET', "/a", 'HTTP/1.1"'],
    "Hello {{ name }} there": ["{{", "name", "}}"],
}


@pytest.mark.parametrize("line", GROUPS)
def test_groups_of_words(line):
    assert protected(line) == GROUPS[line]


HEADERS = {
    "2026-11-23T02:45:34Z ERROR [db.pool] Connection lost": "Connection lost",
    "2026-11-23 02:45:34,123 - app.worker - INFO - Job done": "Job done",
    "Nov 23 02:45:34 web-1 sshd[812]: Connection closed": "Connection closed",
    "Nov  3 02:45:34 web-1 kernel: Out of memory": "Out of memory",
    "Mon Nov 23 02:45:34 2026 Server started": "Server started",
    "[INFO] Server started": "Server started",
    "WARN: The disk is full": "The disk is full",
    "ERROR | app.db | The disk is full": "The disk is full",
    "127.0.0.1 - - [23/Nov/2026:02:45:34 +0000] Not found": "Not found",
    "[ 12.345678] usb 1-1: device lost": "usb device lost",
    "- The first point": "The first point",
    "3. The third point": "The third point",
    "> A quotation": "A quotation",
    "## A heading": "A heading",
    '"message": "Not found",': '"Not found",',
    "anna> Where are you?": "Where are you?",
    "| a name | a value |": "a name a value",
}


@pytest.mark.parametrize("line", HEADERS)
def test_only_the_prose_of_a_log_line_is_left(line):
    assert prose(line) == HEADERS[line]


ORDINARY = """\
The house is small, and the garden (behind it) is large.
I don't know; she said "no" -- or perhaps 'yes' - to the file(s).
He was born in winter, there were three hundred people, two of them old.
Mr. Smith and Dr. Jones, Ph.D., met at five p.m. in the U.S. on a May day.
Well... what? No! Yes: it's John's mother-in-law, e.g. or i.e. so-called.
It cost five dollars and/or ten thousand euros; about a million, that is half of it.
Is this an error, a warning or information? Fatal mistakes are critical.
Read chapter three, section four or page twelve & the rest.
You and I are twenty years old; five men and three women; seven a day.
An A, a B and a C: Monday, March, may, sun, min and max.
I'm twenty. He's thirty! Are you forty? Number seven: the seventh.
"Hello," he said (quietly). [He smiled.] *Really*?
Jean-Paul O'Neill, naïve café, Straße, half-time, first and second.
Wait - is it four o'clock already – or five?"""


@pytest.mark.parametrize("line", ORDINARY.split("\n"))
def test_prose_is_not_protected(line):
    assert protected(line) == []


def test_the_prose_of_a_corpus_is_not_protected(shared):
    lines = (shared / "data/test/tatoeba.en-de.en").read_text(encoding="utf-8").splitlines()
    words = [word for line in lines for word in protected(line)]
    hits = [word for word in words if not any(map(str.isdigit, word))]
    assert len(hits) <= 0.005 * sum(len(line.split()) for line in lines), hits


def test_a_word_that_may_begin_a_group_waits_only_for_that():
    protector = Protector()
    assert list(protector.feed(Word("10.0.0.1"))) == [(Word("10.0.0.1"), True)]
    assert list(protector.feed(Word("house"))) == [(Word("house"), False)]
    assert list(protector.feed(Word("5"))) == []
    assert [is_protected for _, is_protected in protector.feed(Word("ms"))] == [True, True]
    assert list(protector.feed(Word("5"))) == []
    assert [is_protected for _, is_protected in protector.feed(Word("men"))] == [True, False]


def test_patterns_of_the_user():
    assert protected("Dear Foo, see Bar-7 there", "Foo", r"Bar-\d") == ["Foo,", "Bar-7"]
    assert protected("see FOO and xx here", "(?i)foo", r"(?P<a>x)\1", r"(?P<a>y)") == ["FOO", "xx"]


def test_a_pattern_that_is_none():
    with pytest.raises(UsageError, match=r"--protect-regex '\('"):
        Protector(("(",))


PIECES = "The house 5 ms `a b` < <a x> {{ n }} Nov 23 02:45:34 h x: ERROR ( -"
WORDS = st.sampled_from(PIECES.split())


@given(st.lists(WORDS | st.text(alphabet="aA1.:/=(<`{}[] _-%$\n", min_size=1), max_size=12))
def test_no_word_is_lost_or_moved(words):
    line = " ".join(" ".join(words).split())
    assert [word.text for word, _ in decided(line)] == line.split()


def test_long_words_cost_no_time():
    """Backtracking over words of this length would take minutes."""
    for word in ("a" * 4096, "a." * 2048, "a/" * 2048, "_" * 4096, "(" * 4096):
        assert protected(f"see {word} here") == [word]


@pytest.mark.parametrize("text", ["Привет, как дела?", "今日は暑いです。", "😀 🎉🎉", "Ψυχή"])
def test_what_the_model_would_spell_in_bytes_is_copied(text):
    """It has never learnt such words, and would make up others."""
    result = run_lsg("translate", "--to", "de", stdin=text.encode())
    assert (result.code, result.lines) == (0, [text])
    result = run_lsg("translate", "--to", "de", stdin=f"Where are you? {text}\n".encode())
    assert result.text.endswith(f" {text}\n")


def test_words_with_foreign_letters_are_words():
    text = "The naïve señor went to the café in Köln."
    result = run_lsg("translate", "--to", "de", stdin=text.encode())
    assert result.code == 0
    assert result.lines != [text]
