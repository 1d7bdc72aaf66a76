"""``lsg eval score`` and ``lsg eval compare``: what they print, and what they refuse."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest
from conftest import DEADLINE, LSG, ROOT, environment, run_lsg

from lsgcli.evaluation.logs import Instance, write_omnisteval, write_simuleval, write_simulstream
from lsgcli.evaluation.score import measure_log, summarise

REFERENCE = "eins zwei drei vier"
SOURCE = "one two three four"
WAIT_2 = [
    Instance(0, "eins zwei drei vier", (2, 3, 4, 4), 4, "text", REFERENCE, SOURCE),
    Instance(1, "eins drei vier", (2, 3, 4), 4, "text", REFERENCE, SOURCE),
]
OFFLINE = [
    Instance(0, "eins zwei", (4, 4), 4, "text", REFERENCE, SOURCE),
    Instance(1, "", (), 4, "text", REFERENCE, SOURCE),
]
SPEECH = [
    Instance(0, "eins zwei", (1000, 2000), 2000, "speech", "eins zwei", ("a.wav",), (1500, 3000)),
    Instance(1, "drei", (2000,), 2000, "speech", "drei vier", ("b.wav",), (2250,)),
]


@pytest.fixture
def logs(tmp_path):
    """Two text systems and a speech system with a clock, as SimulEval logs them."""
    for name, instances in {"wait": WAIT_2, "offline": OFFLINE}.items():
        write_simuleval(tmp_path / name, instances, source_type="text")
    write_simuleval(tmp_path / "speech", SPEECH, source_type="speech")
    return tmp_path


def lsg_eval(*arguments, **options):
    """Run a command that must succeed; give its lines."""
    result = run_lsg("eval", *arguments, **options)
    assert (result.code, result.stderr) == (0, "")
    return result.lines


def refused(*arguments, **options):
    result = run_lsg("eval", *arguments, **options)
    assert result.stdout == b""
    assert result.stderr.startswith("lsg: error: ")
    assert result.stderr.count("\n") == 1
    return result.code, result.stderr.removeprefix("lsg: error: ").rstrip("\n")


def on_a_terminal(*arguments, columns=80):
    """What a command writes to a terminal of so many columns."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*LSG, "eval", *map(str, arguments)],
        stdout=slave,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment(COLUMNS=str(columns)),
    )
    os.close(slave)
    out = b""
    while True:
        try:
            data = os.read(master, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        out += data
    _, err = process.communicate(timeout=DEADLINE)
    os.close(master)
    assert (process.returncode, err) == (0, b"")
    return out.decode().replace("\r\n", "\n")


# ---------------------------------------------------------------- score


def test_a_table_of_several_systems(logs):
    lines = lsg_eval("score", logs / "wait", logs / "offline" / "instances.log")
    assert lines[0].split() == [
        *("system", "n", "empty", "BLEU", "chrF", "AL", "LAAL", "AP", "DAL", "ATD", "YAAL"),
        "StartOffset",
    ]
    wait, offline = lines[1].split(), lines[2].split()
    assert wait[:3] == [str(logs / "wait"), "2", "0"]
    assert wait[5:7] == ["2.000", "2.000"]
    assert offline[:3] == [str(logs / "offline" / "instances.log"), "2", "1"]
    assert offline[5:7] == ["4.000", "(-1)"]
    assert lines[3].startswith("(-k): k sentences left out")
    assert "erasure 0: all systems are append-only, so it is zero by construction" in lines
    assert lines[-2].startswith("BLEU|nrefs:1|")


def test_a_table_of_one_system(logs):
    lines = lsg_eval("score", logs / "offline", "--confidence")
    assert lines[0] == f"{logs / 'offline'}: 2 sentences, 1 empty hypotheses"
    assert lines[1].split() == ["metric", "unit", "score", "95%", "interval", "n", "left", "out"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:11]}
    assert rows["AL"] == ["words", "4.000", "[4.000,", "4.000]", "1", "1"]
    assert rows["YAAL"] == ["words", "-", "0", "2"]


def test_computation_aware_scores_have_rows_of_their_own(logs):
    lines = lsg_eval(
        "score", logs / "speech", logs / "speech", "--latency-metrics", "AL,StartOffset"
    )
    cells = [line.split()[1:] for line in lines[:4]]
    assert cells[0] == ["clock", "n", "empty", "BLEU", "chrF", "AL", "StartOffset"]
    assert [row[0] for row in cells[1:]] == ["read", "elapsed", "queue"]
    assert [row[-1] for row in cells[1:]] == ["1500.000", "1875.000", "1875.000"]


def test_json(logs):
    record = json.loads(
        "\n".join(lsg_eval("score", logs / "wait", logs / "offline", "--format", "json"))
    )
    assert [each["system"] for each in record] == [str(logs / "wait"), str(logs / "offline")]
    offline = record[1]
    assert (offline["sentences"], offline["empty"], offline["erasure"]) == (2, 1, 0)
    assert offline["scores"]["AL"] == {
        "value": 4.0,
        "unit": "words",
        "n": 1,
        "left_out": 1,
        "interval": None,
        "signature": "AL|unit:word|length:reference|clock:delays|lsg:0.1.0",
    }
    assert offline["scores"]["YAAL"]["value"] is None


def test_tsv(logs):
    metrics = ("--quality-metrics", "none", "--latency-metrics", "AL,YAAL")
    lines = lsg_eval("score", logs / "offline", "-f", "tsv", *metrics, "--confidence")
    header, row = (line.split("\t") for line in lines)
    assert dict(zip(header, row, strict=True)) == {
        "system": str(logs / "offline"),
        "sentences": "2",
        "empty": "1",
        "late": "0",
        "early": "0",
        "erasure": "0.000",
        "AL": "4.000",
        "AL_left_out": "1",
        "AL_low": "4.000",
        "AL_high": "4.000",
        "YAAL": "-",
        "YAAL_left_out": "2",
        "YAAL_low": "-",
        "YAAL_high": "-",
    }


def test_all_metrics_there_are(logs):
    names = "BLEU,chrF,chrF++,TER,WER,CER"
    metrics = ("--quality-metrics", names, "--latency-metrics", "all")
    (record,) = json.loads("\n".join(lsg_eval("score", logs / "speech", "-f", "json", *metrics)))
    latency = ["AL", "LAAL", "AP", "DAL", "ATD", "YAAL", "StartOffset", "EndOffset"]
    clocks = [name + clock for clock in ("", "_CA", "_CA_queue") for name in latency]
    assert list(record["scores"]) == [*names.split(","), *clocks]


def test_other_tools_logs(logs):
    write_omnisteval(logs / "omni.jsonl", SPEECH)
    write_simulstream(logs / "stream.jsonl", SPEECH)
    (logs / "references").write_text("eins zwei\ndrei vier\n")
    for name in ("omni.jsonl", "stream.jsonl"):
        record = json.loads("\n".join(lsg_eval("score", logs / name, "--reference",
                                               logs / "references", "-f", "json")))  # fmt: skip
        expected = summarise(measure_log(logs / "speech"))
        assert record[0]["scores"]["BLEU"]["value"] == expected.scores["BLEU"].value
        assert record[0]["scores"]["AL"]["value"] == pytest.approx(expected.scores["AL"].value)


def test_units(logs):
    chars = [Instance(0, "ab c", (1, 1, 2), 2, "text", "ab c", "one two")]
    write_simuleval(logs / "chars", chars, source_type="text", unit="char")
    (record,) = json.loads("\n".join(lsg_eval("score", logs / "chars", "--unit", "char", "-f",
                                              "json", "--no-use-ref-len")))  # fmt: skip
    assert record["scores"]["AP"]["value"] == pytest.approx(4 / 6)
    pieces = [Instance(0, "Ja", (1, 1), 1, "text", "Ja", "Yes", prediction_spm=("\u2581J", "a"))]
    write_simuleval(logs / "pieces", pieces, source_type="text", unit="spm")
    model = ROOT / "models" / "en-de" / "spm.model"
    lines = lsg_eval("score", logs / "pieces", "--unit", "spm", "--spm-model", model)
    assert lines[0].endswith("1 sentences, 0 empty hypotheses")


def test_a_run_stands_for_its_systems(logs):
    record = {"settings": {}, "systems": {"wait": {"policy": "wait-k", "k": 2},
                                          "offline": {"policy": "offline"}}}  # fmt: skip
    (logs / "run.json").write_text(json.dumps(record))
    lines = lsg_eval("score", logs)
    assert [line.split()[0] for line in lines[1:3]] == ["wait", "offline"]


def test_on_a_wide_terminal(logs):
    out = on_a_terminal("score", logs / "wait", logs / "offline", columns=200)
    assert "─" in out
    assert "(-1)" in out
    assert "…" not in out


def test_on_a_narrow_terminal_every_number_is_there(logs):
    options = ("--confidence", "--color", "never")
    out = on_a_terminal("score", logs / "wait", logs / "offline", *options, columns=80)
    assert out.count("StartOffset") == 1
    assert out.count("4.000") >= 4
    assert "…" not in out
    assert all(len(line) <= 80 for line in out.splitlines() if "|" not in line)


def test_no_colour_where_none_is_wanted(logs):
    assert "\x1b[" in on_a_terminal("score", logs / "wait")
    assert "\x1b[" not in on_a_terminal("score", logs / "wait", "--color", "never")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("nowhere",), 2, "nowhere: No such file or directory; name a log or its directory"),
        (
            ("{logs}/wait", "--quality-metrics", "BLUE"),
            2,
            "no quality metric `BLUE`; choose from BLEU",
        ),
        (("{logs}/wait", "--latency-metrics", "LA"), 2, "no latency metric `LA`; choose from AL"),
        (("{logs}/wait", "--unit", "spm"), 2, "the latency unit spm needs a SentencePiece model"),
        (("{logs}/wait", "--unit", "char"), 1, "instances.log:1: sentence 0: 4 `delays`"),
        (("{logs}/wait", "--spm-model", "x"), 2, "--spm-model belongs to --unit spm"),
        (("{logs}/wait", "--tokenize", "x"), 2, "no sacreBLEU tokenizer `x`"),
        (("{logs}/wait", "--reference", "{logs}/one"), 1, "one: ends before sentence 1"),
        (("{logs}/wait", "--reference", "{logs}/two"), 2, "two: No such file or directory"),
        (("{logs}/empty",), 1, "empty: no sentences"),
        (("{logs}/broken",), 1, "broken:1: broken JSON"),
        ((), 2, "Missing argument"),
    ],
)
def test_score_refuses(logs, options, code, message):
    (logs / "one").write_text("eins\n")
    (logs / "empty").write_text("")
    (logs / "broken").write_text('{"index": 0, "predic')
    found, line = refused("score", *(option.format(logs=logs) for option in options))
    assert (found, message in line) == (code, True)


def test_a_log_without_references(logs):
    bare = [Instance(0, "eins", (2,), 4, "text", None, SOURCE)]
    write_simuleval(logs / "bare", bare, source_type="text")
    code, line = refused("score", logs / "bare")
    assert (code, "no reference; give a file of references" in line) == (1, True)
    assert lsg_eval("score", logs / "bare", "--quality-metrics", "none")


# ---------------------------------------------------------------- compare


def test_compare(logs):
    lines = lsg_eval("compare", logs / "wait", logs / "offline", logs / "wait")
    assert lines[0].split()[0] == "system"
    start = lines.index(f"A: {logs / 'wait'}")
    assert lines[start + 1] == f"B: {logs / 'offline'}"
    rows = {line.split()[0]: line.split()[1:] for line in lines[start + 3 : start + 11]}
    assert rows["AL"][:3] == ["2.000", "4.000", "+2.000"]
    assert "p: two-sided, paired bootstrap" in lines
    assert lines[-1] == "2 comparisons; p is not corrected for that"


def test_compare_by_randomization_in_json(logs):
    options = ("--test", "randomization", "--trials", "200", "-f", "json")
    record = json.loads("\n".join(lsg_eval("compare", logs / "wait", logs / "wait", *options)))
    (comparison,) = record["comparisons"]
    assert len(record["systems"]) == 2
    assert comparison["metrics"]["BLEU"]["test"] == "randomization"
    assert comparison["metrics"]["BLEU"]["difference"] == 0
    assert comparison["metrics"]["BLEU"]["p_value"] == 1


def test_compare_in_tsv(logs):
    lines = lsg_eval(
        "compare", logs / "wait", logs / "offline", "-f", "tsv", "--latency-metrics", "AL"
    )
    rows = [line.split("\t") for line in lines]
    assert [row[2] for row in rows] == ["metric", "BLEU", "chrF", "AL"]
    assert rows[3][3:6] == ["2.000", "4.000", "2.000"]
    assert {len(row) for row in rows} == {10}


@pytest.fixture
def curves(tmp_path):
    """wait-1 and wait-3, of AL 1 and 3 and with other words; one between them, one beyond."""
    texts = {"eins": 1, "eins zwei": 2, "eins zwei drei": 3, "eins zwei drei vier": 4}
    delays = {"wait-1": (1, 2, 3, 4), "wait-3": (3, 4, 4, 4), "lsg": (2, 3, 4, 4), "all": (4,) * 4}
    right = {"wait-1": 2, "wait-3": 4, "lsg": 4, "all": 4}
    for name, system in delays.items():
        words = list(texts)[right[name] - 1].split() + ["nichts"] * (4 - right[name])
        instances = [
            Instance(n, " ".join(words), system, 4, "text", REFERENCE, SOURCE) for n in range(3)
        ]
        write_simuleval(tmp_path / name, instances, source_type="text")
    return [tmp_path / name for name in delays]


def test_compare_with_a_curve(curves):
    options = ("--curve", "*/wait-*", "--quality-metrics", "WER", "--latency-metrics", "AL")
    lines = lsg_eval("compare", *curves, *options)
    assert lines[0] == f"curve: {curves[0]}, {curves[1]}"
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:4]}
    # WER 50 % at AL 1, 0 % at AL 3: 25 % at AL 2
    assert rows[str(curves[2])] == [
        *("WER", "2.000", "0.000", "25.000", "-25.000", "[-25.000,", "-25.000]"),
        rows[str(curves[2])][-1],
    ]
    assert rows[str(curves[3])] == ["WER", "4.000", "0.000", "-", "-"]
    assert "-: beyond the curve's AL" in lines


def test_a_curve_is_named_as_printed(curves):
    """By the last part of a path too."""
    options = ("--quality-metrics", "WER", "--latency-metrics", "AL")
    lines = lsg_eval("compare", *curves, *options, "--curve", "*/wait-*")
    assert lsg_eval("compare", *curves, *options, "--curve", "wait-*") == lines


def test_compare_with_a_curve_for_programs(curves):
    options = (
        "--curve",
        "*/wait-*",
        "--quality-metrics",
        "WER,BLEU",
        "--latency-metrics",
        "AL",
        "--trials",
        "50",
    )
    record = json.loads("\n".join(lsg_eval("compare", *curves, *options, "-f", "json")))
    assert (record["latency"], record["curve"]) == ("AL", list(map(str, curves[:2])))
    first, *others = record["gains"]
    assert (first["system"], first["metric"], first["curve"]) == (str(curves[2]), "WER", 25)
    assert first["interval"] == {"low": -25, "high": -25}
    assert [each["difference"] is None for each in others] == [False, True, True]
    rows = [line.split("\t") for line in lsg_eval("compare", *curves, *options, "-f", "tsv")]
    assert rows[0][2:6] == ["AL", "score", "curve", "difference"]
    assert rows[1][2:8] == ["2.000", "0.000", "25.000", "-25.000", "-25.000", "-25.000"]
    assert {len(row) for row in rows} == {9}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--curve", "*/wait-1"), "matches 1 of 4 systems; at least two must match"),
        (("--curve", "*"), "matches 4 of 4 systems"),
        (("--curve", "*/wait-*", "--test", "randomization"), "--curve is tested by bootstrap"),
        (("--curve", "*/wait-*", "--latency-metrics", "none"), "--curve needs a latency"),
        (("--curve", "*/wait-*", "--quality-metrics", "none"), "--curve needs a quality"),
    ],
)
def test_compare_with_a_curve_refuses(curves, options, message):
    code, line = refused("compare", *curves, *options)
    assert (code, message in line) == (2, True)


def test_compare_refuses(logs):
    assert "one system cannot be compared" in refused("compare", logs / "wait")[1]
    code, line = refused("compare", logs / "wait", logs / "speech")
    assert (code, "not the same references" in line) == (1, True)
    assert refused("compare", logs / "wait", logs / "wait", "--test", "t")[0] == 2


def test_a_reader_who_leaves(logs):
    shell = " ".join([*LSG, "eval", "score", str(logs / "wait"), "| true; echo ${PIPESTATUS[0]}"])
    done = subprocess.run(["bash", "-c", shell], capture_output=True, env=environment(), cwd=ROOT)
    assert (done.stdout, done.stderr) == (b"0\n", b"")


def test_help_needs_nothing_heavy():
    heavy = {"ctranslate2", "numpy", "sacrebleu", "matplotlib", "jiwer", "sentencepiece"}
    code = (
        "import sys; from lsgcli.cli.app import run; code = run(sys.argv[1:]); "
        f"sys.exit(' '.join(sorted({heavy!r} & set(sys.modules))) or code)"
    )
    for arguments in (["--help"], ["eval", "--help"], ["eval", "run", "--help"]):
        done = subprocess.run([LSG[0], "-c", code, *arguments], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
