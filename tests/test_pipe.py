"""``lsg translate`` in real pipes, with buffering as a user has it and a locale that is not UTF-8.

``--protect-regex '(?s).+'`` copies every word, so that ``lsg`` must behave like ``cat``.
"""

from __future__ import annotations

import json
import operator
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE, LSG, Live, environment, run_lsg
from sentences import SENTENCES

from lsgcli.models.catalog import embedded

TO = ("translate", "--to", "de")
CAT = ("--protect-regex", "(?s).+")
LINE = "The house is small and the garden behind it is very large"


def objects(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def test_translates():
    result = run_lsg(*TO, stdin=b"The house is small.\n")
    assert (result.code, result.text, result.stderr) == (0, "Das Haus ist klein.\n", "")


# ---------------------------------------------------------------- while it arrives


def test_words_come_out_before_the_line_ends(live):
    lsg: Live = live()
    for word in LINE.split():
        lsg.feed(word + " ")
    early = lsg.until(len)
    assert b"\n" not in early
    assert early.decode().split()
    lsg.feed("\n")
    result = lsg.finish()
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith(early)
    assert len(result.lines) == 1


def test_a_slow_writer_gets_whole_words_only(live):
    lsg: Live = live("--policy", "wait-k", "-k", "1")
    words = LINE.split()
    for word in words[:3]:
        before = lsg.out
        lsg.feed(word + " ")
        lsg.until(before.__ne__)
    lsg.feed(" ".join(words[3:]) + " now.\nAnd the next line is here.\n")
    result = lsg.finish()
    assert len(lsg.seen) > 3  # it did come in pieces
    for piece in lsg.seen:
        assert result.stdout.startswith(piece)
        rest = result.stdout.decode()[len(piece.decode()) :]
        assert piece.endswith(b"\n") or not rest[:1].isalnum(), piece
    assert len(result.lines) == 2


def test_a_line_is_finished_while_the_input_stays_open(live):
    lsg: Live = live()
    lsg.feed("The house is small.\n")
    assert lsg.until(lambda out: out.endswith(b"\n")).decode() == "Das Haus ist klein.\n"
    lsg.feed("The house is small.\n")
    lsg.until(lambda out: out.count(b"\n") == 2)


def test_protected_words_of_a_line_that_is_arriving_come_at_once(live):
    lsg: Live = live()
    lsg.feed("2026-11-23T02:45:34Z ERROR [db.pool] 10.0.0.7 ")
    lsg.until(lambda out: out == b"2026-11-23T02:45:34Z ERROR [db.pool] 10.0.0.7")


def test_bytes_that_come_one_by_one(live):
    data = "Grüße: naïve café, \t日本 – 😀\r\n\r\n  x\0y  \n".encode()
    lsg: Live = live(*CAT)
    for byte in data:
        lsg.feed(bytes([byte]), pause=0.002)
    result = lsg.finish()
    assert (result.code, result.stdout, result.stderr) == (0, data, "")


def test_a_pause_ends_a_word(live):
    lsg: Live = live("--idle", "0.2", "--format", "jsonl")
    lsg.feed("Hello")
    lsg.until(lambda out: any(o["type"] == "read" and o["text"] == "Hello" for o in objects(out)))


def test_no_pause_ends_a_word_if_none_may(live):
    lsg: Live = live("--idle", "0", "--format", "jsonl")
    lsg.feed("Good mor", pause=1)
    lsg.feed("ning\n")
    reads = [o["text"] for o in objects(lsg.finish().stdout) if o["type"] == "read"]
    assert " ".join(reads) == "Good morning"


# ---------------------------------------------------------------- bytes of every kind

AS_CAT = {
    "empty": b"",
    "one newline": b"\n",
    "blank lines": b"\n\nA b.\n\n\nC\n\n",
    "blanks only": b"   \n\t\n",
    "indented": b"    a  b\tc   \n\td\n",
    "CRLF": b"One two.\r\nThree\r\n\r\n",
    "lone CR": b"10%\r20%\rdone\n",
    "NUL": b"a\0b \0 c\0\n\0\n",
    "control": b"\x1b[31mred\x1b[0m \x07 \x0b \x0c x\n",
    "exotic blanks": "a\u00a0b\u2028c\u3000d\x85e\x1cf\n".encode(),
    "a replacement character": "\ufffd\n".encode(),
    "a long word": b"a" * 9000 + b" " + b"b" * 4096 + b"\n",
    "many blanks": b"a" + b" " * 9000 + b"b" + b" " * 4096 + b"\n",
}


@pytest.mark.parametrize("data", AS_CAT.values(), ids=AS_CAT)
def test_copied_words_are_copied_byte_for_byte(data):
    result = run_lsg(*TO, *CAT, stdin=data)
    assert (result.code, result.stdout, result.stderr) == (0, data, "")


@pytest.mark.parametrize("data", AS_CAT.values(), ids=AS_CAT)
def test_one_line_in_one_line_out(data):
    result = run_lsg(*TO, stdin=data)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.count(b"\n") == data.count(b"\n")
    assert result.text.count("\n") == len(result.lines)  # and it is UTF-8


def test_crlf_stays():
    result = run_lsg(*TO, stdin=b"The house is small.\r\n\r\nThe house is small.\r\n")
    assert result.text == "Das Haus ist klein.\r\n\r\nDas Haus ist klein.\r\n"


def test_no_final_newline():
    assert run_lsg(*TO, stdin=b"The house is small.").text == "Das Haus ist klein.\n"


def test_a_byte_order_mark_is_no_word():
    result = run_lsg(*TO, stdin=b"\xef\xbb\xbfThe house is small.\n")
    assert result.text == "Das Haus ist klein.\n"


def test_invalid_utf8_is_replaced_with_one_warning():
    data = b"a\xffb \xc3\n" * 50
    result = run_lsg(*TO, *CAT, stdin=data)
    assert result.code == 0
    assert result.text == "a\ufffdb \ufffd\n" * 50
    assert result.stderr.count("\n") == 1
    assert "UTF-8" in result.stderr
    assert run_lsg(*TO, *CAT, "--quiet", stdin=data).stderr == ""


def test_invalid_utf8_fails_if_strict():
    result = run_lsg(*TO, "--strict", stdin=b"The house is small.\n\xff\n")
    assert result.code == 1
    assert re.fullmatch(r"lsg: error: .*UTF-8.*\n", result.stderr)


BIG = {
    "one word": b"a" * 1_000_000 + b"\n",
    "blanks": b" " * 1_000_000 + b"\n",
    "numbers": b"12 7 " * 200_000 + b"\n",
    "data with some prose": b"The house is small. " + b"user=4711 " * 100_000 + b"It is old.\n",
}


@pytest.mark.parametrize("data", BIG.values(), ids=BIG)
def test_a_line_of_a_megabyte(data):
    result = run_lsg(*TO, stdin=data)
    assert result.code == 0
    assert re.fullmatch("(lsg: warning: a sentence without commas .* in parts\n)?", result.stderr)
    assert len(result.lines) == 1
    expected = data.replace(b"The house is small.", b"Das Haus ist klein.")
    assert result.stdout[:900_000] == expected[:900_000]


def test_output_comes_while_blank_lines_keep_coming():
    """Nothing here ends a batch, and it must not fill the memory."""
    command = f"yes '' | {' '.join(LSG)} translate --to de | head -c 10000 | wc -l"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, timeout=DEADLINE, env=environment()
    )
    assert int(done.stdout) == 10000


# ---------------------------------------------------------------- whole lines


def lines(count: int) -> list[str]:
    """Numbered lines, some of them blank."""
    return [
        "" if n % 7 == 3 else f"#{n} {SENTENCES[n % len(SENTENCES)]} Good morning!"
        for n in range(count)
    ]


def test_order_and_alignment():
    source = lines(330)
    result = run_lsg(*TO, stdin="".join(line + "\n" for line in source).encode())
    assert result.code == 0
    assert len(result.lines) == len(source)
    for n, (before, after) in enumerate(zip(source, result.lines, strict=True)):
        assert bool(before) == bool(after)
        if after:
            assert after.split()[0] == f"#{n}"
            assert len(after.split()) > 1


def test_whole_lines_do_not_depend_on_how_they_are_written(live):
    source = [line + "\n" for line in lines(24)]
    expected = run_lsg(*TO, stdin="".join(source).encode()).stdout
    rng = random.Random(7)
    cuts = [range(1, 25), sorted(rng.sample(range(1, 24), 9)), [1, 23], [12]]
    for ends in cuts:
        lsg: Live = live()
        start = 0
        for end in (*ends, len(source)):
            lsg.feed("".join(source[start:end]), pause=0.02)
            start = end
        assert lsg.finish().stdout == expected, list(ends)


def test_lines_that_buffers_cut_are_whole_all_the_same(tmp_path):
    head = "2026-11-23T02:45:34Z INFO [app.worker] id=5f3c job=/var/spool/q/17 took 35 ms retries=0"
    said = [SENTENCES[n // 8 % 2 * 7] if n % 8 == 0 else "" for n in range(900)]
    source = "".join(f"{head} n={n} {each}\n" for n, each in enumerate(said)).encode()
    assert len(source) > 65536
    (tmp_path / "log").write_bytes(source)
    whole = run_lsg(*TO, tmp_path / "log").stdout
    assert whole.count(b"\n") == 900
    assert run_lsg(*TO, stdin=source).stdout == whole
    blocks = f"dd bs=9000 status=none < {tmp_path}/log | {' '.join(LSG)} translate --to de"
    done = subprocess.run(["bash", "-c", blocks], capture_output=True, env=environment())
    assert done.stdout == whole


LOG = """\
2026-11-23T02:45:34.123Z ERROR [db.pool] Connection to 10.0.0.7:5432 failed after 30 ms
Nov 23 02:45:34 web-1 sshd[812]: The user with id=4711 could not open /var/log/auth.log.
127.0.0.1 - - [23/Nov/2026:02:45:34 +0000] "GET /index.html HTTP/1.1" 200 512
WARN The file https://example.org/a?b=c#d was not found, see user@example.org or %s.
    at com.example.App.main(App.java:17)
The job 123e4567-e89b-42d3-a456-426614174000 has used 80% of 16 GB with --max-size=3 and {name}.
"""
KEPT = """
2026-11-23T02:45:34.123Z ERROR [db.pool] 10.0.0.7:5432 Nov 02:45:34 web-1 sshd[812]: id=4711
/var/log/auth.log 127.0.0.1 [23/Nov/2026:02:45:34 +0000] /index.html WARN
https://example.org/a?b=c#d user@example.org %s com.example.App.main(App.java:17)
123e4567-e89b-42d3-a456-426614174000 80% --max-size=3 {name}
"""


@pytest.mark.parametrize("pace", [(), ("--pace", "0")], ids=["whole", "word by word"])
def test_logs_keep_what_is_not_prose(pace):
    result = run_lsg(*TO, *pace, stdin=LOG.encode())
    assert result.code == 0
    assert len(result.lines) == LOG.count("\n")
    for word in KEPT.split():
        # The model may make up another %s; none may be lost.
        assert result.text.count(word) == LOG.count(word), word
    assert "    at com" in result.text or result.lines[4].startswith("    ")
    assert "Connection" not in result.text


def test_placeholders_that_are_out_of_order_are_not_mixed_up():
    result = run_lsg(*TO, stdin=b"Move {1} to {0} now.\nCopy {2} to {1} and {0}.\n")
    first, second = result.lines
    assert set(re.findall(r"\{\d\}", first)) == {"{0}", "{1}"}
    assert set(re.findall(r"\{\d\}", second)) == {"{0}", "{1}", "{2}"}


CODE = b"""\
for (int i = 0; i < n; i++) { sum += a[i]; }
x = {'a': 1, 'b': [2, 3]}
\tSELECT * FROM users;\r
{"level": "error", "msg": "Could not connect to the server"}
2026-11-23 02:45:35 ERROR [main] return x;
    } else if (x == null) {
"""
NO_CODE = """\
Error: {name}
See { $path }
The house is small; the garden is large.
This is what you see if a = b
{0} of {1}
"""


COLOURS = {
    "\x1b[31mERROR\x1b[0m {}": "The house is small.",
    "2026-01-01 \x1b[2mINFO\x1b[0m \x1b[1m{}\x1b[0m": "The house is small.",
    "\x1b[1;33m{}\x1b[0m": "WARN: The house is small.",
    "\x1b]8;;http://example.org/a b\x1b\\{}\x1b]8;;\x1b\\": "The house is small.",
    "{} \x1b[K": "The house is small",
}


@pytest.mark.parametrize("pace", [(), ("--pace", "0")], ids=["whole", "word by word"])
def test_colours_stay_where_they_are(pace):
    plain = run_lsg(*TO, *pace, stdin="".join(f"{line}\n" for line in COLOURS.values()).encode())
    coloured = "".join(f"{frame.format(line)}\n" for frame, line in COLOURS.items())
    expected = [frame.format(line) for frame, line in zip(COLOURS, plain.lines, strict=True)]
    assert run_lsg(*TO, *pace, stdin=coloured.encode()).lines == expected


def test_colours_inside_a_sentence_do_not_cut_it():
    line = "The \x1b[1mhouse\x1b[0m is \x1b[4m/tmp/x\x1b[0m. It is\x1b[3m small.\n"
    plain = run_lsg(*TO, stdin=re.sub(r"\x1b\[\dm", "", line).encode()).text
    colours = run_lsg(*TO, stdin=line.encode()).text
    assert re.sub(r"(\x1b\[\dm)+", "", colours) == plain
    assert re.findall(r"\d(?=m)", colours) == list("10403")


def test_signs_end_a_sentence():
    """What stands behind an emoji or the line between columns is translated by itself."""
    lines = ["The house is small \U0001f44d see you tomorrow", "| the house | the dog |"]
    parts = ["The house is small \U0001f44d", "see you tomorrow", "| the house |", "the dog |"]
    whole = run_lsg(*TO, stdin="".join(f"{line}\n" for line in lines).encode()).lines
    apart = run_lsg(*TO, stdin="".join(f"{part}\n" for part in parts).encode()).lines
    assert whole == [" ".join(apart[:2]), " ".join(apart[2:])]


def test_lines_of_code_are_copied():
    result = run_lsg(*TO, stdin=CODE)
    assert (result.code, result.stdout) == (0, CODE)
    assert run_lsg(*TO, "--no-protect", stdin=CODE).stdout != CODE
    lines = run_lsg(*TO, stdin=NO_CODE.encode()).lines
    assert all(map(operator.ne, lines, NO_CODE.splitlines())), lines


def test_a_line_nested_too_deeply_for_json():
    result = run_lsg(*TO, stdin=b'["a", ' * 3000 + b"\nThe house is small.\n")
    assert (result.code, result.stderr) == (0, "")
    assert len(result.lines) == 2
    assert result.lines[1] == "Das Haus ist klein."


def test_sentences_in_capitals():
    """The embedded model is shown them in small letters."""
    lines = ["THE HOUSE IS SMALL.", "THE HOUSE IS SMALL. The house is small.", "OPEN %s NOW."]
    house, both, opened = run_lsg(*TO, stdin="\n".join(lines).encode()).lines
    assert (house, both) == ("DAS HAUS IST KLEIN.", "DAS HAUS IST KLEIN. Das Haus ist klein.")
    assert "%s" in opened
    assert opened.replace("%s", "").isupper()
    objects_of = objects(run_lsg(*TO, "--format", "jsonl", stdin=b"THE HOUSE IS SMALL.\n").stdout)
    assert " ".join(each["text"] for each in objects_of if "text" in each).count("HAUS") >= 1


@pytest.mark.parametrize("pace", [(), ("--pace", "0")], ids=["whole", "word by word"])
def test_no_placeholder_is_made_up(tmp_path, pace):
    """One that is a common word would be, in the first sentence."""
    model = Path(shutil.copytree(embedded()["en-de"], tmp_path / "model"))
    options = (*TO, "--from", "en", "--model", model, *pace, "--latency", "high")
    source = b"The house is small.\nThe house is Haus.\n"
    assert run_lsg(*options, stdin=source).text.count("Haus ist") == 2
    manifest = model / "manifest.toml"
    named = manifest.read_text().replace('placeholders = ["{0}"', 'placeholders = ["Haus"')
    manifest.write_text(named)
    first, second = run_lsg(*options, stdin=source).lines
    assert "Haus" not in first
    assert "Haus" in second


def test_what_is_not_protected_is_translated():
    source = b"Please wait 30 ms for my_file.\n"
    assert "my_file" in run_lsg(*TO, stdin=source).text
    extra = run_lsg(*TO, "--protect-regex", "[Pp]lease", stdin=source).text
    assert extra.startswith("Please ")
    assert not run_lsg(*TO, "--no-protect", stdin=source).text.startswith("Please ")


def test_sentences_of_an_unbroken_stream():
    source = b"The house is\nsmall. The house\nis small. Good morning!\n\n\nThe house is small."
    result = run_lsg(*TO, "--segment", "sentence", stdin=source)
    house, (morning,) = "Das Haus ist klein.", run_lsg(*TO, stdin=b"Good morning!\n").lines
    assert result.lines == [house, house, morning, "", "", house]


# ---------------------------------------------------------------- files, pace, formats


def test_several_files_and_standard_input(tmp_path):
    (tmp_path / "a").write_bytes(b"a=1\nb=2")  # no final newline: the next file begins a line
    (tmp_path / "c").write_bytes(b"c=3\n")
    result = run_lsg(*TO, tmp_path / "a", "-", tmp_path / "c", stdin=b"x=0\n")
    assert (result.code, result.text) == (0, "a=1\nb=2\nx=0\nc=3\n")


def test_pace_feeds_so_many_words_a_second():
    result = run_lsg(*TO, "--pace", "20", "--format", "jsonl", stdin=LINE.encode() + b"\n")
    reads = [o for o in objects(result.stdout) if o["type"] == "read"]
    assert len(reads) > 1
    assert reads[-1]["elapsed_ms"] >= 0.9 * 1000 * (len(LINE.split()) - 1) / 20


@pytest.mark.parametrize(("pace", "real"), [("0", False), ("50", True)])
def test_only_input_in_real_time_can_be_fallen_behind(tmp_path, pace, real):
    run_lsg(*TO, "--pace", pace, "--stats-json", tmp_path / "stats", stdin=LINE.encode() + b"\n")
    assert (json.loads((tmp_path / "stats").read_text())["behind_s"] is not None) == real


@pytest.mark.parametrize("options", [(), ("--policy", "local-agreement")], ids=["lsg", "la"])
def test_pace_0_reads_one_by_one_and_is_reproducible(options):
    source = "".join(s + "\n" for s in SENTENCES) + LOG
    runs = [
        run_lsg(*TO, "--pace", "0", "--format", "jsonl", *options, stdin=source.encode())
        for _ in range(2)
    ]
    logs = [
        [{k: v for k, v in o.items() if "elapsed" not in k} for o in objects(run.stdout)]
        for run in runs
    ]
    assert logs[0] == logs[1]
    for o in logs[0]:
        if o["type"] == "read":
            assert len(o["text"].split()) == 1
    delays = [o["delays"] for o in logs[0] if o["type"] == "segment"]
    assert delays
    assert all(d == sorted(d) for d in delays)


FIELDS = {
    "read": {"type", "segment", "index", "text", "delay", "elapsed_ms", "reason"},
    "write": {"type", "segment", "index", "text", "delay", "elapsed_ms", "reason"},
    "segment": {
        *("type", "segment", "source", "prediction", "delays", "elapsed", "source_length"),
        "elapsed_ms",
    },
}
READ_REASONS = {"arrived", "bound", "uncertain", "end held"}
WRITE_REASONS = {"finished", "bound", "confidence", "divergence", "protected"}


@pytest.mark.parametrize("pace", [(), ("--pace", "0")], ids=["whole", "word by word"])
def test_jsonl_says_the_same_as_text(pace):
    source = ("".join(s + "\n" for s in SENTENCES) + LOG).encode()
    text = run_lsg(*TO, *pace, stdin=source).text
    result = run_lsg(*TO, *pace, "--format", "jsonl", stdin=source)
    assert (result.code, result.stderr) == (0, "")
    log = objects(result.stdout)
    written = "".join(o["text"] for o in log if o["type"] == "write")
    assert "".join(written.split()) == "".join(text.split())
    for o in log:
        may = {"score", "left", "doubted"} if o["type"] == "segment" else {"max_p", "kl"}
        assert FIELDS[o["type"]] <= set(o) <= FIELDS[o["type"]] | may, o
        if o["type"] != "segment":
            reasons = READ_REASONS if o["type"] == "read" else WRITE_REASONS
            assert o["reason"] in reasons
    check_segments(log)
    times = [o["elapsed_ms"] for o in log]
    assert times == sorted(times)


def check_segments(log):
    """Every segment object sums up the read and write objects before it."""
    for segment in (o for o in log if o["type"] == "segment"):
        own = [o for o in log if o["segment"] == segment["segment"]]
        reads = [o for o in own if o["type"] == "read"]
        writes = [o for o in own if o["type"] == "write"]
        assert own[-1] is segment
        assert " ".join(o["text"] for o in reads) == segment["source"]
        assert reads[-1]["index"] == segment["source_length"]
        assert [o["index"] for o in writes] == list(range(1, len(writes) + 1))
        assert [o["delay"] for o in writes] == segment["delays"]
        assert [o["elapsed_ms"] for o in writes] == segment["elapsed"]
        joined = "".join(segment["prediction"].split())
        assert "".join("".join(o["text"] for o in writes).split()) == joined


def test_explain_shows_every_decision():
    source = LINE.encode() + b"\n"
    result = run_lsg(*TO, "--pace", "0", "--explain", stdin=source)
    log = objects(run_lsg(*TO, "--pace", "0", "--format", "jsonl", stdin=source).stdout)
    rows = [line.split() for line in result.stderr.splitlines()]
    assert ["i", "j", "max", "p", "KL", "decision"] in rows
    written = [row for row in rows if "WRITE" in row]
    assert Counter(row[row.index("WRITE") + 1] for row in written) == Counter(
        o["reason"] for o in log if o["type"] == "write"
    )
    assert [row[-1] for row in written] == result.text.split()
    assert any("READ" in row for row in rows)
    assert all(row[0].isdigit() and row[1].isdigit() for row in written)


def test_statistics(tmp_path):
    source = (LINE + ".\nid=7 Good morning!\n").encode()
    file = tmp_path / "stats.json"
    result = run_lsg(*TO, "--pace", "0", "--stats", "--stats-json", file, stdin=source)
    figures = json.loads(file.read_text())
    assert figures["words_read"] == len(LINE.split()) + 2
    assert figures["words_written"] == len(result.text.split()) - 1
    assert (figures["words_protected"], figures["segments"]) == (1, 2)
    assert 0 < figures["al"] <= len(LINE.split())
    assert figures["model_calls"] > 0
    assert figures["tokens"] > figures["model_calls"]
    for name in ("first_word_ms", "commit_ms"):
        spread = figures[name]
        assert 0 <= spread["p50"] <= spread["p95"] <= spread["max"]
    assert sum(v for k, v in figures["decisions"].items() if k.startswith("write")) > 0
    assert figures["falling_behind"] is False
    for word in ("words", "AL / LAAL", "first word", "each word", "READ", "WRITE", "model"):
        assert word in result.stderr
    assert "\x1b" not in result.stderr
    assert run_lsg(*TO, "--no-stats", stdin=source).stderr == ""


def test_statistics_of_nothing(tmp_path):
    file = tmp_path / "stats.json"
    result = run_lsg(*TO, "--stats", "--stats-json", file)
    assert (result.code, result.stdout) == (0, b"")
    assert json.loads(file.read_text())["words_read"] == 0


# ---------------------------------------------------------------- ends of every kind


def test_the_reader_goes():
    command = f"yes 'The house is small.' | {' '.join(LSG)} translate --to de | head -n 3"
    done = subprocess.run(
        ["bash", "-c", command + '; echo "${PIPESTATUS[1]}"'],
        capture_output=True,
        timeout=DEADLINE,
        env=environment(),
    )
    assert done.stdout.decode().split("\n") == ["Das Haus ist klein."] * 3 + ["0", ""]
    assert done.stderr == b""


def test_the_first_lines_of_many_do_not_wait_for_the_others(live):
    lsg: Live = live()
    lsg.feed("".join(f"{line}\n" for line in SENTENCES * 3))
    result = lsg.finish()
    assert len(result.lines) == 3 * len(SENTENCES)
    assert lsg.seen[0].count(b"\n") < 20
    assert len(lsg.seen) > 5


def test_a_signal_leaves_all_lines_that_are_finished(live):
    lsg: Live = live()
    lsg.feed("".join(f"{line}\n" for line in SENTENCES * 100))
    lsg.until(lambda out: out.count(b"\n") > 30)
    lsg.process.send_signal(signal.SIGINT)
    result = lsg.finish()
    assert result.code == 130
    written = result.lines[:-1]  # the last one may be cut off
    source = "".join(f"{line}\n" for line in (SENTENCES * 100)[: len(written)])
    assert 30 <= len(written) < 100 * len(SENTENCES)
    assert written == run_lsg(*TO, stdin=source.encode()).lines


@pytest.mark.parametrize("arguments", [TO, ("--help",), ("--version",)], ids=" ".join)
def test_a_full_disk_is_an_error(arguments):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*LSG, *arguments],
            input=b"Good morning!\n" * 100,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
        )
    assert done.returncode == 1
    assert re.fullmatch(r"lsg: error: .*[Nn]o space left.*\n", done.stderr.decode())


def closed(redirection: str, *arguments: str) -> tuple[int, bytes, bytes]:
    command = f"{' '.join(LSG)} translate --to de {' '.join(arguments)} {redirection}"
    done = subprocess.run(
        ["bash", "-c", command], input=b"a=1\n\xff\n", capture_output=True, env=environment()
    )
    return done.returncode, done.stdout, done.stderr


def test_closed_standard_streams(tmp_path):
    assert closed("<&-")[0] == 1
    assert closed("2>&-") == (0, "a=1\n\ufffd\n".encode(), b"")
    code, out, err = closed(">&-", "--stats-json", str(tmp_path / "stats"))
    assert (code, out, err.count(b"error")) == (1, b"", 1)
    assert "words_read" in json.loads((tmp_path / "stats").read_text())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_in_the_middle_of_a_line(live, number, code):
    lsg: Live = live("--policy", "wait-k", "-k", "1", "--stats")
    lsg.feed(LINE + " ")
    early = lsg.until(lambda out: out.count(b" ") > 1)
    lsg.process.send_signal(number)
    result = lsg.finish()
    assert result.code == code
    assert result.stdout.startswith(early)
    assert result.stdout.endswith(b"\n")
    assert result.stdout.count(b"\n") == 1
    assert "Traceback" not in result.stderr
    assert "written" in result.stderr  # the statistics


def test_a_signal_while_the_reader_is_slow_writes_nothing_twice():
    source = b"".join(b"n=%d\n" % n for n in range(200_000))
    process = subprocess.Popen(
        [*LSG, *TO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(source[:60_000])
    begin = process.stdout.read(1)  # it has begun to write, into a pipe that nobody empties
    process.stdin.write(source[60_000:400_000])
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    out = begin + process.stdout.read()
    process.stdin.close()
    assert process.wait(DEADLINE) == 143
    assert source.startswith(out.removesuffix(b"\n"))
    process.stdout.close()
    assert process.stderr
    process.stderr.close()
