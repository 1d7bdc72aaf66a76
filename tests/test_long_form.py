"""Whole recordings, scored by segments: manifests, alignment, and the commands."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run_lsg
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs import Instance, write_omnisteval, write_simuleval, write_simulstream
from lsgcli.evaluation.resegment import resegmented
from lsgcli.evaluation.score import ScoreOptions, measure_log, summarise
from lsgcli.evaluation.segments import Segment, load_segments, write_segments
from lsgcli.metrics.alignment import cuts

SPEECH = Path(__file__).parent / "data" / "speech"
SEGMENTS = [
    Segment("a.wav", 0.5, 2.0, "eins zwei drei"),
    Segment("a.wav", 3.0, 1.0, "vier fünf"),
    Segment("b.wav", 0.0, 4.0, "sechs sieben"),
]
TALKS = [
    Instance(
        0, "eins zwei vier fünf", (1500, 3000, 4000, 4500), 5000, "speech", source=("/x/a.wav",),
        elapsed=(1600, 3200, 4300, 4900),
    ),
    Instance(1, "sieben", (4000,), 4000, "speech", source=("/x/b.wav",), elapsed=(4100,)),
]  # fmt: skip


def split(method, hypothesis, *references, characters=False):
    """The parts of a text, as a line each."""
    units = list(hypothesis) if characters else hypothesis.split()
    targets = [list(each) if characters else each.split() for each in references]
    ends = cuts(method, units, targets, characters=characters)
    space = "" if characters else " "
    return [space.join(units[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


# ---------------------------------------------------------------- alignment


@pytest.mark.parametrize(
    ("hypothesis", "references", "parts"),
    [
        ("eins zwei drei vier", ("eins zwei", "drei vier"), ["eins zwei", "drei vier"]),
        ("Eins ZWEI drei", ("eins zwei", "drei"), ["Eins ZWEI", "drei"]),
        # Words that match nothing go where they resemble the neighbour; then to the next segment.
        ("eins zwei dreien drei", ("eins zwei", "drei"), ["eins zwei", "dreien drei"]),
        ("eins zwei zweien drei", ("eins zwei", "drei"), ["eins zwei zweien", "drei"]),
        ("eins", ("eins", "zwei", "drei"), ["eins", "", ""]),
        ("drei", ("eins", "zwei", "drei"), ["", "", "drei"]),
        ("", ("eins", "zwei"), ["", ""]),
        ("eins zwei", ("", "eins zwei", ""), ["", "eins zwei", ""]),
        # A mark does not match a word, and none is lost.
        (". eins .", ("eins", "zwei"), [". eins .", ""]),
    ],
)
def test_soft(hypothesis, references, parts):
    assert split("soft", hypothesis, *references) == parts


def test_soft_in_characters():
    assert split("soft", "我们看到，河边", "我们看", "河边。", characters=True) == [
        "我们看到，",
        "河边",
    ]


@given(
    st.lists(st.sampled_from(["a", "ab", "bc", ".", "xyz"]), max_size=6),
    st.lists(st.lists(st.sampled_from(["a", "ab", "cb", ","]), max_size=3), min_size=1, max_size=3),
)
def test_soft_cuts_all_of_it_in_order(hypothesis, references):
    if not any(references):
        references[0].append("a")
    ends = cuts("soft", hypothesis, references)
    assert ends == sorted(ends)
    assert (len(ends), ends[-1]) == (len(references), len(hypothesis))


def test_mwer():
    """It counts words that are equal, where ``soft`` sees that others are alike."""
    pytest.importorskip("mweralign")
    hypothesis, references = "eins zwei dreien drei vier", ("eins zwei", "drei vier")
    assert split("mwer", hypothesis, *references) == ["eins zwei dreien", "drei vier"]
    assert split("soft", hypothesis, *references) == ["eins zwei", "dreien drei vier"]


def test_mwer_gives_no_words_to_a_segment_without():
    pytest.importorskip("mweralign")
    assert split("mwer", "a b c", "", "a b", "", "c", "") == ["", "a b", "", "c", ""]


def test_no_words_to_align_with():
    with pytest.raises(InputError, match="no words in the references"):
        cuts("soft", ["a"], [[], []])


# ---------------------------------------------------------------- manifests


MUST_C = """\
- {duration: 2.0, offset: 0.5, rW: 3, uW: 0, speaker_id: spk.1, wav: a.wav}
- {duration: 1, offset: 3, rW: 2, uW: 0, speaker_id: spk.1, wav: a.wav}
- duration: 4.0
  offset: 0.0
  wav: b.wav
"""


def written(directory, name, text):
    (directory / name).write_text(text, encoding="utf-8")
    return directory / name


@pytest.fixture
def manifests(tmp_path):
    """One test set in all formats; the references of YAML and JSON are a file."""
    written(tmp_path, "talks.yaml", MUST_C)
    entries = [{"wav": s.wav, "offset": s.offset, "duration": s.duration} for s in SEGMENTS]
    written(tmp_path, "talks.json", json.dumps(entries))
    written(tmp_path, "talks.de", "".join(f"{each.reference}\n" for each in SEGMENTS))
    write_segments(tmp_path / "talks.tsv", SEGMENTS)
    return tmp_path


def test_all_formats_say_the_same(manifests):
    for name in ("talks.yaml", "talks.json"):
        assert load_segments(manifests / name, manifests / "talks.de") == SEGMENTS
    assert load_segments(manifests / "talks.tsv") == SEGMENTS


def test_columns_in_any_order(tmp_path):
    text = "reference\toffset\tspeaker\tduration\twav\nja\t1\tx\t2.5\ta.wav\n"
    assert load_segments(written(tmp_path, "x.tsv", text)) == [Segment("a.wav", 1, 2.5, "ja")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.yaml", "wav: a\n", "list of entries"),
        ("x.yaml", "- [1, 2\n", "list of entries"),
        ("x.yaml", "- {wav: a, offset: 1}\n", "duration"),
        ("x.yaml", "- {wav: a, offset: -1, duration: 1}\n", "0"),
        ("x.yaml", "- {wav: a, offset: 1, duration: .inf}\n", "1000000000"),
        ("x.yaml", "- {wav: a, offset: 1, duration: .nan, reference: a}\n", "duration"),
        ("x.json", '[{"wav": "a"}]', "offset"),
        ("x.json", "[]", "no segments"),
        ("x.tsv", "", "no column 'wav'"),
        ("x.tsv", "wav\toffset\na\t1\n", "x.tsv:1: no column 'duration'"),
        ("x.tsv", "wav\toffset\tduration\na\t1\n", "x.tsv:2: 2 columns, not 3"),
        ("x.tsv", "wav\toffset\tduration\na\tone\t1\n", "x.tsv:2: .*offset"),
        ("x.tsv", "wav\toffset\tduration\na\t1\t1\n", "no references"),
        ("x.tsv", "wav\toffset\tduration\treference\na\t2\t1\tb\na\t1\t1\tc\n", "segment 2 begins"),
        ("x.txt", "a\n", "YAML, JSON or TSV"),
    ],
)
def test_faulty_manifests(tmp_path, name, text, message):
    with pytest.raises((InputError, UsageError), match=message):
        load_segments(written(tmp_path, name, text))


def test_a_reference_for_each_segment(manifests):
    references = written(manifests, "short", "eins\n")
    with pytest.raises(InputError, match=r"short has 1 lines but .*talks\.yaml has 3 segments"):
        load_segments(manifests / "talks.yaml", references)


# ---------------------------------------------------------------- cutting a log


def test_times_count_from_the_start_of_a_segment():
    first, second, third = resegmented(TALKS, SEGMENTS)
    assert (first.prediction, first.delays) == ("eins zwei", (1000, 2500))
    assert (second.prediction, second.delays) == ("vier fünf", (1000, 1500))
    assert (third.prediction, third.delays) == ("sieben", (4000,))
    assert [each.source_length for each in (first, second, third)] == [2000, 1000, 4000]
    assert [each.recording_end for each in (first, second, third)] == [3500, 1000, 4000]
    assert [each.index for each in (first, second, third)] == [0, 1, 2]
    assert second.reference == "vier fünf"


def test_clocks_are_cut_too_and_a_queue_has_no_computation_from_before():
    _, second, _ = resegmented(TALKS, SEGMENTS)
    assert second.elapsed == (1300, 1900)
    # Each word took 100 ms, those of the first segment before the second began.
    assert second.elapsed_queue == (1100, 1600)


def test_order_is_that_of_the_manifest():
    a, b, c = SEGMENTS
    found = list(resegmented(TALKS, [a, c, b]))
    assert [each.prediction for each in found] == ["eins zwei", "sieben", "vier fünf"]


def test_whole_recordings():
    first, second = resegmented(TALKS, SEGMENTS, method="none")
    assert first == replace(TALKS[0], reference="eins zwei drei vier fünf")
    assert second.reference == "sechs sieben"


@pytest.mark.parametrize("names", [("a.wav", "b.wav"), ("y/a.mp3", "y/b.mp3"), ("a", "b")])
def test_recordings_of_other_directories_and_suffixes(names):
    talks = [replace(each, source=name) for each, name in zip(TALKS, names, strict=True)]
    assert len(list(resegmented(talks, SEGMENTS))) == 3


@pytest.mark.parametrize(
    ("talks", "message"),
    [
        (TALKS[:1], "no recording b.wav"),
        ([*TALKS, replace(TALKS[0], index=2, source="c.wav")], "no segments of its recording c"),
        ([TALKS[0], replace(TALKS[1], source="y/a.wav")], "no recording b.wav"),
        ([replace(each, source=None) for each in TALKS], "no `source`"),
        ([replace(each, source_type="text") for each in TALKS], "a log of text"),
    ],
)
def test_other_recordings(talks, message):
    with pytest.raises((InputError, UsageError), match=message):
        list(resegmented(talks, SEGMENTS, name="log"))


def test_scores_of_segments(tmp_path):
    """By hand: StreamLAAL and LongYAAL are means of the segments'."""
    write_omnisteval(tmp_path / "log", TALKS)
    options = ScoreOptions(quality=("WER",), latency=("LAAL", "YAAL"))
    scores = summarise(measure_log(tmp_path / "log", options, segments=SEGMENTS)).scores
    laal = [(1000 + 2500 - 2000 / 3) / 2, 1000.0, 4000.0]
    assert scores["LAAL"].value == pytest.approx(sum(laal) / 3)
    # The end of a recording bounds what counts, not that of a segment.
    assert scores["YAAL"].value == pytest.approx(laal[0])
    assert scores["YAAL"].skipped == 2
    assert scores["WER"].value == pytest.approx(100 * 2 / 7)
    assert scores["WER"].signature.endswith("|segments:soft")
    assert "|segments:soft" in scores["LAAL"].signature


# ---------------------------------------------------------------- the commands


def lsg_eval(*arguments):
    result = run_lsg("eval", *arguments)
    assert (result.code, result.stderr) == (0, "")
    return result.text


def record(*arguments):
    (found,) = json.loads(lsg_eval("score", *arguments, "--format", "json"))
    return found


@pytest.mark.parametrize("method", ["soft", "mwer", "none"])
def test_score_logs_of_all_formats(manifests, method):
    if method == "mwer":
        pytest.importorskip("mweralign")
    write_simuleval(manifests / "simuleval", TALKS, source_type="speech")
    write_omnisteval(manifests / "omnisteval", TALKS)
    write_simulstream(manifests / "simulstream", TALKS)
    asked = ("--segments", manifests / "talks.yaml", "--reference", manifests / "talks.de")
    found = [
        record(manifests / name, *asked, "--resegment", method)
        for name in ("simuleval", "omnisteval", "simulstream")
    ]
    assert [each["sentences"] for each in found] == [2 if method == "none" else 3] * 3
    for metric in ("BLEU", "AL", "LAAL", "YAAL", "LAAL_CA_queue"):
        a, b, c = (each["scores"][metric]["value"] for each in found)
        assert a == b == pytest.approx(c)
    assert found[0]["segments"].startswith(method if method != "mwer" else "mweralign")


def test_the_table_names_the_metrics_of_the_field(manifests):
    write_omnisteval(manifests / "log", TALKS)
    assert "YAAL is LongYAAL" in lsg_eval(
        "score", manifests / "log", "--segments", manifests / "talks.tsv"
    )


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--segments", "talks.yaml"), 2, "talks.yaml has no references"),
        (("--segments", "none.tsv"), 2, "none.tsv: No such file or directory"),
        (("--resegment", "soft"), 2, "--resegment: log has no segments"),
        (("--segments", "b.tsv"), 1, "log: there are no segments of its recording"),
    ],
)
def test_score_refuses(manifests, monkeypatch, options, code, message):
    monkeypatch.chdir(manifests)
    write_omnisteval(manifests / "log", TALKS)
    write_segments(manifests / "b.tsv", SEGMENTS[2:])
    result = run_lsg("eval", "score", "log", *options)
    assert (result.code, result.text) == (code, "")
    assert result.stderr.startswith(f"lsg: error: {message}")
    assert result.stderr.count("\n") == 1


def sound(*names):
    """Recordings of the tests one after the other, half a second apart."""
    from lsgcli.speech.sources.decode import decode

    parts = [[*decode(SPEECH / f"{name}.flac"), np.zeros(8000, np.float32)] for name in names]
    return [np.concatenate(each) for each in parts]


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    """A corpus in MuST-C's layout: two recordings of three segments, and what is said."""
    from test_speech import write_wav

    directory = tmp_path_factory.mktemp("corpus")
    (directory / "wav").mkdir()
    (directory / "txt").mkdir()
    said = dict(
        line.split(" | ")[:2]
        for line in (SPEECH / "README.md").read_text().replace("| `", "").splitlines()
        if ".flac" in line and "` | " in line
    )
    texts = {name.partition(".")[0].strip("`"): text for name, text in said.items()}
    entries, lines = [], []
    for wav, names in {"one": ("en_ss_0870", "en_lj_001_0005"), "two": ("en_jfk",)}.items():
        samples, offset = sound(*names), 0.0
        write_wav(directory / "wav" / f"{wav}.wav", (np.concatenate(samples) * 32767).astype("<i2"))
        for name, part in zip(names, samples, strict=True):
            duration = len(part) / 16000
            entries.append(f"- {{wav: {wav}.wav, offset: {offset}, duration: {duration}}}\n")
            lines.append(f"{texts[name]}\n")
            offset += duration
    (directory / "txt" / "talks.yaml").write_text("".join(entries))
    (directory / "txt" / "talks.en").write_text("".join(lines))
    return directory / "txt"


def test_a_run_over_recordings_is_scored_by_their_segments(talks, tmp_path):
    files = ("--source", talks / "talks.yaml", "--target", talks / "talks.en")
    asked = (
        *("--from", "en", "--to", "en", "--model", "tiny.en", "--threads", "1"),
        *("--segment-ms", "2000", "--policy", "wait-k", "-k", "6"),
    )
    run = tmp_path / "run"
    result = run_lsg("eval", "run", *files, *asked, "-o", run)
    assert result.code == 0, result.stderr
    assert "YAAL is LongYAAL" in result.text
    log = [json.loads(line) for line in (run / "wait-6" / "instances.log").read_text().splitlines()]
    assert [Path(each["source"]).name for each in log] == ["one.wav", "two.wav"]
    assert log[0]["reference"] == " ".join((talks / "talks.en").read_text().splitlines()[:2])
    kept = load_segments(run / "segments.tsv")
    assert [each.reference for each in kept] == (talks / "talks.en").read_text().splitlines()

    (results,) = json.loads((run / "results.json").read_text())["systems"]
    again = record(run)
    for metric, each in again["scores"].items():
        assert each["value"] == results["scores"][metric]["value"]
    assert again["sentences"] == 3
    # Each segment got its own words: fewer errors than any other cut would leave.
    assert record(run, "--quality-metrics", "WER")["scores"]["WER"]["value"] < 45
    assert record(run, "--resegment", "none")["sentences"] == 2
    assert lsg_eval("plot", run, "--latency-metric", "LAAL")

    # In shards of a recording each it is the same.
    for shard in ("1/2", "2/2"):
        assert (
            run_lsg("eval", "run", *files, *asked, "--shard", shard, "-o", tmp_path / "parts").code
            == 0
        )
    lsg_eval("merge", tmp_path / "parts")
    for name in ("results.json", "segments.tsv", "wait-6/instances.log"):
        assert (tmp_path / "parts" / name).read_bytes() == (run / name).read_bytes()
    (tmp_path / "parts" / "segments.tsv").unlink()
    result = run_lsg("eval", "merge", tmp_path / "parts")
    assert (result.code, "segments.tsv: is missing; run any shard again" in result.stderr) == (
        1,
        True,
    )

    # The manifest is one of what a run is continued with.
    moved = tmp_path / "txt"
    shutil.copytree(talks, moved)
    shutil.copytree(talks.parent / "wav", tmp_path / "wav")
    longer = (moved / "talks.yaml").read_text().replace("offset: 0.0", "offset: 0.1")
    (moved / "talks.yaml").write_text(longer)
    files = ("--source", moved / "talks.yaml", "--target", moved / "talks.en")
    result = run_lsg("eval", "run", *files, *asked, "-o", run, "--resume")
    assert (result.code, "cannot be resumed: source_sha256" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        (("--source", "talks.yaml"), 2, "talks.yaml has no references"),
        (("--source", "gone.tsv"), 1, "gone.tsv: there is no recording gone.wav; looked for "),
        (("--source", "talks.yaml", "--target", "short"), 1, "short has 1 lines"),
    ],
)
def test_a_run_refuses(talks, tmp_path, monkeypatch, files, code, message):
    monkeypatch.chdir(tmp_path)
    shutil.copy(talks / "talks.yaml", "talks.yaml")
    written(tmp_path, "short", "ja\n")
    write_segments(Path("gone.tsv"), [Segment("gone.wav", 0, 1, "ja")])
    asked = ("--from", "en", "--to", "en", "--model", "tiny.en", "-o", "run")
    result = run_lsg("eval", "run", *files, *asked)
    assert (result.code, result.text) == (code, "")
    assert result.stderr.startswith(f"lsg: error: {message}")


def test_text_is_not_of_recordings(manifests, tmp_path):
    asked = ("--source", manifests / "talks.tsv", "--to", "de", "-o", tmp_path / "run")
    result = run_lsg("eval", "run", *asked)
    assert (result.code, "talks.tsv: not text" in result.stderr) == (2, True)


@pytest.mark.parametrize("method", ["soft", "mwer"])
def test_characters(manifests, method):
    if method == "mwer":
        pytest.importorskip("mweralign")
    texts = [each.prediction.replace(" ", "") for each in TALKS]
    talks = [
        replace(each, prediction=text, delays=(4000.0,) * len(text), elapsed=None)
        for each, text in zip(TALKS, texts, strict=True)
    ]
    write_omnisteval(manifests / "log", talks, unit="char")
    asked = ("--segments", manifests / "talks.tsv", "--unit", "char", "--resegment", method)
    found = record(manifests / "log", *asked)
    assert found["sentences"] == 3
    assert found["scores"]["StartOffset"]["value"] == pytest.approx((3500 + 1000 + 4000) / 3)


def test_shards_of_recordings_are_merged_and_scored_by_segments(talks, tmp_path):
    files = ("--source", talks / "talks.yaml", "--target", talks / "talks.en")
    asked = ("--from", "en", "--to", "en", "--model", "tiny.en", "--policy", "offline")
    run = tmp_path / "run"
    for shard in ("2/2", "1/2"):
        assert run_lsg("eval", "run", *files, *asked, "-o", run, "--shard", shard).code == 0
    assert run_lsg("eval", "merge", run).code == 0
    found = record(run, "--quality-metrics", "WER")
    assert (found["sentences"], found["empty"], found["segments"]) == (3, 0, "soft")
    assert found["scores"]["WER"]["value"] < 45
