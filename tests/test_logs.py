"""Logs read and written: what others wrote, round trips, and everything that can be wrong."""

import json
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.errors import InputError, OutputError, UsageError
from lsgcli.evaluation.logs import (
    Instance,
    detect_format,
    read_log,
    with_references,
    write_omnisteval,
    write_simuleval,
    write_simulstream,
)

SOUNDFILE_LINES = ("/data/a.wav", "samplerate: 16000 Hz", "channels: 1", "duration: 1.500 s")
TEXT = Instance(
    index=0,
    prediction="ein kleines Haus",
    delays=(1, 2, 3),
    source_length=3,
    source_type="text",
    reference="ein kleines Haus",
    source="a small house",
)
EMPTY = Instance(
    index=1,
    prediction="",
    delays=(),
    source_length=1,
    source_type="text",
    reference="Nichts",
    source="nothing",
)
SPEECH = Instance(
    index=0,
    prediction="ein Haus da",
    delays=(500.0, 1000.0, 1500.0),
    source_length=1500.0,
    source_type="speech",
    reference="ein Haus",
    source=SOUNDFILE_LINES,
    elapsed=(600.0, 1200.0, 1750.0),
)


def write(path, *records):
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    path.write_text("\n".join(lines) + "\n")
    return path


def record(**changes):
    """A line of a text log as SimulEval writes it; None removes a field."""
    fields = {
        "index": 0,
        "prediction": "ein Haus",
        "delays": [1, 2],
        "elapsed": [0, 0],
        "prediction_length": 2,
        "reference": "ein Haus\n",
        "source": "a house",
        "source_length": 2,
    }
    return {key: value for key, value in (fields | changes).items() if value is not None}


def speech(**changes):
    return record(source=["a.wav"], source_length=900.0, delays=[300.0, 900.0], **changes)


# Reading what others wrote


def test_simuleval_text(tmp_path):
    log = write(tmp_path / "instances.log", record(), record(index=1))
    first, second = read_log(log)
    assert first == Instance(
        index=0,
        prediction="ein Haus",
        delays=(1, 2),
        source_length=2,
        source_type="text",
        reference="ein Haus",
        source="a house",
        elapsed=None,
    )
    assert second.index == 1


def test_simuleval_speech_is_told_by_its_source(tmp_path):
    log = write(tmp_path / "instances.log", speech(elapsed=[310.5, 999.0]))
    (instance,) = read_log(tmp_path)
    assert instance.source_type == "speech"
    assert instance.elapsed == (310.5, 999.0)
    assert detect_format(log) == "simuleval"


def test_config_yaml_says_what_the_source_is(tmp_path):
    write(tmp_path / "config.yaml", "source_type: speech", "target_type: speech")
    write(tmp_path / "instances.log", record())
    assert [instance.source_type for instance in read_log(tmp_path)] == ["speech"]


def test_config_yaml_of_another_kind(tmp_path):
    write(tmp_path / "config.yaml", "source_type: video")
    write(tmp_path / "instances.log", record())
    with pytest.raises(InputError, match=r"config.yaml:1: source_type `video`"):
        list(read_log(tmp_path))


def test_the_scores_that_simuleval_1_0_wrote_are_skipped(tmp_path):
    old = record(reference_length=2, metric={"latency": {"AL": 1.0}})
    assert len(list(read_log(write(tmp_path / "x.log", old)))) == 1


def test_speech_delays_beyond_the_source_are_real(tmp_path):
    log = write(tmp_path / "x.log", speech() | {"source_length": 880.0})
    (instance,) = read_log(log)
    assert instance.delays[-1] > instance.source_length


def test_pieces(tmp_path):
    pieces = ["▁ein", "▁Ha", "us"]
    fields = record(delays=[1, 2, 2], elapsed=[0] * 3, prediction_length=3, prediction_spm=pieces)
    (instance,) = read_log(write(tmp_path / "x.log", fields), unit="spm")
    assert instance.prediction_spm == tuple(pieces)


def test_characters(tmp_path):
    fields = record(prediction="a b", delays=[1, 2])
    assert len(list(read_log(write(tmp_path / "x.log", fields), unit="char"))) == 1


def test_blank_lines_are_skipped(tmp_path):
    log = write(tmp_path / "x.log", record(), "", record(index=1), "")
    assert len(list(read_log(log))) == 2


def test_omnisteval_input(tmp_path):
    fields = {
        "source": "a.wav",
        "prediction": "ein Haus",
        "delays": [500, 1000],
        "elapsed": [600, 1200],
        "source_length": 1000,
    }
    log = write(tmp_path / "x.jsonl", fields, fields)
    assert detect_format(log) == "omnisteval"
    first, second = read_log(log)
    assert (first.index, second.index) == (0, 1)
    assert (first.source_type, first.reference) == ("speech", None)


def test_omnisteval_without_source_is_speech(tmp_path):
    fields = {"prediction": "ja", "delays": [2], "source_length": 2}
    (instance,) = read_log(write(tmp_path / "x.jsonl", fields))
    assert instance.source_type == "speech"
    (instance,) = read_log(tmp_path / "x.jsonl", source_type="text")
    assert instance.source_type == "text"


def test_omnisteval_resegmented(tmp_path):
    cut = {"docid": 0, "segid": 0, "reference": "ja", "source_length": 900.0}
    log = write(
        tmp_path / "x.jsonl",
        cut
        | {
            "index": 0,
            "prediction": "ja doch",
            "emission_cu": [-100.0, 1200.0],
            "emission_ca": [-20.0, 1300.0],
            "time_to_recording_end": 5000.0,
        },
        cut | {"index": 1, "prediction": ""},
    )
    first, second = read_log(log)
    assert first.delays == (-100.0, 1200.0)
    assert first.elapsed == (-20.0, 1300.0)
    assert first.recording_end == 5000.0
    assert second.delays == ()


def chunk(key, audio, compute, new=(), deleted=()):
    return {
        "id": key,
        "total_audio_processed": audio,
        "computation_time": compute,
        "generated_tokens": list(new),
        "deleted_tokens": list(deleted),
    }


def begin(key, name):
    return {"id": key, "metadata": {"wav_name": name}}


def test_simulstream_pieces_and_retranslation(tmp_path):
    log = write(
        tmp_path / "metrics.jsonl",
        {"model_loading_time": 5.9},
        begin(7, "a.wav"),
        chunk(7, 1.0, 1.5, ["▁Gra", "zie", "."]),
        chunk(7, 2.0, 0.25, [",", "▁a", "▁tutti"], ["."]),
        chunk(7, 3.0, 0.25, [], ["▁tutti"]),
        chunk(7, 4.0, 0.5, ["▁voi"]),
    )
    assert detect_format(log) == "simulstream"
    (instance,) = read_log(tmp_path)
    assert instance.prediction == "Grazie, a voi"
    assert instance.source == "a.wav"
    assert instance.source_length == 4000
    assert instance.delays == (2000, 2000, 4000)
    assert instance.elapsed == (2250, 2250, 4500)
    # The queue: 1.0 + 1.5 = 2.5; then 2.75; 3.25; max(4.0, 3.25) + 0.5.
    assert instance.elapsed_queue == (2750, 2750, 4500)
    assert instance.erased == 2


def test_simulstream_a_word_cut_back_is_dated_by_the_cut(tmp_path):
    log = write(
        tmp_path / "metrics.jsonl",
        begin(0, "a.wav"),
        chunk(0, 1.0, 0.0, ["▁Haus", "tür"]),
        chunk(0, 2.0, 0.0, ["▁da"], ["tür"]),
    )
    (instance,) = read_log(log)
    assert (instance.prediction, instance.delays) == ("Haus da", (2000, 2000))


def test_simulstream_clients_are_interleaved_and_ids_used_again(tmp_path):
    log = write(
        tmp_path / "metrics.jsonl",
        begin(1, "a.wav"),
        begin(2, "b.wav"),
        chunk(1, 1.0, 0.1, ["eins"]),
        chunk(2, 1.0, 0.1, ["zwei"]),
        begin(1, "c.wav"),
        chunk(1, 2.0, 0.1, ["drei"]),
    )
    found = [(i.index, i.source, i.prediction, i.delays) for i in read_log(log)]
    assert found == [
        (0, "a.wav", "eins", (1000,)),
        (1, "b.wav", "zwei", (1000,)),
        (2, "c.wav", "drei", (2000,)),
    ]


def test_simulstream_characters(tmp_path):
    log = write(
        tmp_path / "metrics.jsonl", begin(1, "a.wav"), chunk(1, 1.0, 0.1, "你好"), chunk(1, 2.0, 0)
    )
    (instance,) = read_log(log, unit="char")
    assert (instance.prediction, instance.delays) == ("你好", (1000, 1000))


def test_simulstream_characters_do_not_count_spaces(tmp_path):
    log = write(tmp_path / "metrics.jsonl", begin(1, "a.wav"), chunk(1, 1.0, 0.1, ["ab", " c"]))
    (instance,) = read_log(log, unit="char")
    assert (instance.prediction, instance.delays) == ("ab c", (1000, 1000, 1000))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([chunk(1, 1.0, 0.1)], "metrics.jsonl:2: a chunk of id 1, for which no `metadata`"),
        ([begin(1, "a.wav"), {"id": 1}], ":3: a chunk without `total_audio_processed`"),
        ([{"id": 1, "metadata": {}}], ":2: `metadata` without `wav_name`"),
        ([begin(1, "a"), chunk(1, 2, 0), chunk(1, 1, 0)], ":4: .* decreases"),
        ([begin(1, "a"), chunk(1, 2, -1)], ":3: .*negative"),
        ([begin(1, "a"), chunk(1, 2, 0, ["x"], ["y"])], ":3: `deleted_tokens` are not the last"),
        ([begin(1, "a"), chunk(1, "2", 0)], r":3: Expected .* `\$.total_audio_processed`"),
    ],
)
def test_faulty_simulstream(tmp_path, lines, message):
    log = write(tmp_path / "metrics.jsonl", {"model_loading_time": 1.0}, *lines)
    with pytest.raises(InputError, match=message):
        list(read_log(log))


def test_simulstream_has_no_pieces_to_score(tmp_path):
    log = write(tmp_path / "metrics.jsonl", begin(1, "a"), chunk(1, 1, 0))
    with pytest.raises(UsageError, match="unit word or char"):
        list(read_log(log, unit="spm"))


# Writing


def test_simuleval_round_trip(tmp_path):
    write_simuleval(tmp_path, [TEXT, EMPTY], source_type="text")
    assert (tmp_path / "config.yaml").read_text() == "source_type: text\ntarget_type: text\n"
    assert list(read_log(tmp_path)) == [TEXT, EMPTY]


def test_simuleval_writes_the_fields_of_simuleval(tmp_path):
    write_simuleval(tmp_path, [TEXT], source_type="text")
    line = json.loads((tmp_path / "instances.log").read_text())
    assert line == {
        "index": 0,
        "prediction": "ein kleines Haus",
        "delays": [1, 2, 3],
        "elapsed": [0, 0, 0],
        "prediction_length": 3,
        "reference": "ein kleines Haus",
        "source": "a small house",
        "source_length": 3,
    }


def test_speech_round_trips(tmp_path):
    write_simuleval(tmp_path / "s", [SPEECH], source_type="speech")
    write_omnisteval(tmp_path / "o.jsonl", [SPEECH])
    assert list(read_log(tmp_path / "s")) == [SPEECH]
    assert list(read_log(tmp_path / "o.jsonl")) == [SPEECH]


def test_resegmented_round_trip(tmp_path):
    cut = Instance(
        index=4,
        prediction="ja doch",
        delays=(-100.0, 2000.0),
        source_length=900.0,
        source_type="speech",
        reference="ja",
        elapsed=(-50.0, 2100.0),
        recording_end=2500.0,
    )
    write_omnisteval(tmp_path / "o.jsonl", [cut])
    assert list(read_log(tmp_path / "o.jsonl")) == [cut]


def test_simulstream_round_trip(tmp_path):
    write_simulstream(tmp_path, [SPEECH])
    (found,) = read_log(tmp_path)
    assert (found.prediction, found.delays) == (SPEECH.prediction, SPEECH.delays)
    assert found.source_length == 1500
    # 100 ms of computation each, but for 50 before the last: no backlog.
    assert found.elapsed_queue == pytest.approx((600, 1100, 1550))
    config = (tmp_path / "eval.yaml").read_text()
    assert config == "detokenizer_type: simuleval\nlatency_unit: word\n"


def test_simulstream_has_no_room_for_text(tmp_path):
    with pytest.raises(InputError, match="seconds of audio, not source words"):
        write_simulstream(tmp_path, [TEXT])


words = st.text("abcäß漢.", min_size=1, max_size=5)


@st.composite
def speech_instances(draw):
    spoken = draw(st.lists(words, max_size=8))
    times = st.floats(0, 60_000, allow_nan=False)
    delays = sorted(draw(st.lists(times, min_size=len(spoken), max_size=len(spoken))))
    overhead = draw(st.floats(1, 5000))
    return Instance(
        index=draw(st.integers(0, 2**31)),
        prediction=" ".join(spoken),
        delays=tuple(delays),
        source_length=draw(st.floats(0, 60_000)),
        source_type="speech",
        reference=draw(st.none() | words),
        source=draw(st.just(("a.wav", "x")) | st.just("b.flac")),
        elapsed=tuple(delay + overhead for delay in delays) or None,
        elapsed_queue=draw(st.sampled_from([None, tuple(d + 1 for d in delays)])),
    )


@given(speech_instances())
def test_anything_that_may_be_written_is_read_the_same(tmp_path_factory, instance):
    directory = tmp_path_factory.mktemp("log")
    write_simuleval(directory, [instance], source_type="speech")
    assert list(read_log(directory)) == [instance]


def test_nothing_half_written(tmp_path):
    write_simuleval(tmp_path, [TEXT], source_type="text")
    before = (tmp_path / "instances.log").read_bytes()

    def broken():
        yield TEXT
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_simuleval(tmp_path, broken(), source_type="text")
    assert (tmp_path / "instances.log").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "instances.log"]


def test_no_place_to_write(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"o\.jsonl: cannot be written: .*choose another place"):
        write_omnisteval(tmp_path / "file" / "o.jsonl", [SPEECH])


def test_written_files_have_the_usual_permissions(tmp_path):
    write_omnisteval(tmp_path / "o.jsonl", [SPEECH])
    (tmp_path / "plain").touch()
    assert (tmp_path / "o.jsonl").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("delays", [(1, 2), (1, 2, 4), (1, math.nan, 3), (3, 2, 1)])
def test_what_cannot_be_true_is_not_written(tmp_path, delays):
    wrong = Instance(0, "ein kleines Haus", delays, 3, "text")
    with pytest.raises(InputError, match="sentence 0: "):
        write_simuleval(tmp_path, [wrong], source_type="text")
    assert not (tmp_path / "instances.log").exists()


# Bad input: every message names file and line


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"index": 0, "predic', "broken JSON .*delete the line"),
        (record(delays=[1, math.nan]), "NaN or an infinite number"),
        (record(delays=[1, math.inf]), "NaN or an infinite number"),
        ("[1, 2]", "Expected `object`"),
        (record(colour="blue"), "unknown field `colour`; remove it, or name it"),
        (record(delays=None), "missing required field `delays`"),
        (record(delays=[1, "2"]), r"Expected `int \| float`.*`\$.delays\[1\]`"),
        (record(delays=[1]), "1 `delays`"),
        (record(delays=[1, 2, 2], prediction_length=None), "3 `delays` for a prediction of 2"),
        (record(elapsed=[5, 6, 7]), "3 `elapsed` for a prediction of 2"),
        (record(prediction_length=3), "`prediction_length` is 3 but there are 2 `delays`"),
        (record(delays=[2, 1]), "`delays` decrease from 2 to 1 at unit 2"),
        (record(delays=[1, 3]), "`delays` reach 3, more than the source's 2 words"),
        (record(delays=[-1, 2]), "`delays` start at -1"),
        (record(delays=[0.5, 2]), "0.5 source words"),
        (record(source_length=3), "`source_length` is 3 but `source` has 2 words"),
        (record(source_length=-2, source=["a.wav"]), "`source_length` is -2"),
        (speech(elapsed=[310.0, 500.0]), r"unit 2 is written at 500 \(`elapsed`\) before"),
        (record(durations=[10.0]), "the output is speech"),
        (record(prediction="", delays=[1, 2]), "2 `delays` for a prediction of 0 units"),
    ],
)
def test_faulty_line(tmp_path, line, message):
    kind = "speech" if isinstance(line, dict) and isinstance(line["source"], list) else "text"
    write(tmp_path / "config.yaml", f"source_type: {kind}")
    log = write(tmp_path / "instances.log", line)
    with pytest.raises(InputError, match=rf"instances\.log:1: .*{message}"):
        list(read_log(log, log_format="simuleval"))


def test_the_line_is_counted(tmp_path):
    log = write(tmp_path / "x.log", record(), "", record(index=1, delays=[2, 1]))
    with pytest.raises(InputError, match=r"x\.log:3: sentence 1: `delays` decrease"):
        list(read_log(log))


def test_good_lines_before_a_bad_one_are_read(tmp_path):
    log = write(tmp_path / "x.log", record(), "{")
    lines = read_log(log)
    assert next(lines).index == 0
    with pytest.raises(InputError, match=r"x\.log:2"):
        next(lines)


def test_bad_utf8(tmp_path):
    log = tmp_path / "x.log"
    log.write_bytes(json.dumps(record()).encode().replace(b"house", b"h\xffuse"))
    with pytest.raises(InputError, match=r"x\.log:1: "):
        list(read_log(log))


def test_unknown_fields_may_be_ignored(tmp_path):
    log = write(tmp_path / "x.log", record(colour="blue", metric={"AL": 1}))
    (instance,) = read_log(log, ignore=["colour"])
    assert instance.prediction == "ein Haus"
    with pytest.raises(InputError, match="colour"):
        list(read_log(log, ignore=["shape"]))


def test_an_index_twice(tmp_path):
    log = write(tmp_path / "x.log", record(), record())
    with pytest.raises(InputError, match=r"x\.log:2: .*`index` is there twice"):
        list(read_log(log))


def test_no_pieces(tmp_path):
    with pytest.raises(InputError, match="no `prediction_spm`"):
        list(read_log(write(tmp_path / "x.log", record()), unit="spm"))


@pytest.mark.parametrize("missing", [None, "", " \n"])
def test_missing_reference(tmp_path, missing):
    log = write(tmp_path / "x.log", record(reference=missing))
    assert len(list(read_log(log))) == 1
    with pytest.raises(InputError, match=r"x\.log:1: .*no reference"):
        list(read_log(log, needs_reference=True))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"prediction": "ja", "delays": [2]}, "no `source_length`"),
        ({"prediction": "ja", "source_length": 2}, "no `delays`"),
    ],
)
def test_faulty_omnisteval(tmp_path, line, message):
    with pytest.raises(InputError, match=rf"x\.jsonl:1: {message}"):
        list(read_log(write(tmp_path / "x.jsonl", line)))


def test_not_a_log(tmp_path):
    with pytest.raises(InputError, match=r"x\.json:1: not a log of SimulEval, OmniSTEval or"):
        list(read_log(write(tmp_path / "x.json", {"hello": 1})))
    with pytest.raises(InputError, match=r"x\.json:1: broken JSON"):
        list(read_log(write(tmp_path / "x.json", "hello")))


@pytest.mark.parametrize("log_format", [None, "simuleval", "omnisteval", "simulstream"])
def test_an_empty_log(tmp_path, log_format):
    log = tmp_path / "x.log"
    log.touch()
    with pytest.raises(InputError, match=r"x\.log: no sentences"):
        list(read_log(log, log_format=log_format))


def test_no_such_log(tmp_path):
    with pytest.raises(UsageError, match=r"instances\.log: No such file"):
        list(read_log(tmp_path))


# References from a file


def test_references_from_a_file(tmp_path):
    references = write(tmp_path / "ref.txt", "Das eine", "Das andere")
    found = [i.reference for i in with_references([TEXT, EMPTY], references)]
    assert found == ["Das eine", "Das andere"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["eins"], r"ref\.txt: ends before sentence 1"),
        (["eins", "zwei", "drei"], r"ref\.txt:3: more references than"),
        (["eins", ""], r"ref\.txt:2: blank reference for sentence 1"),
    ],
)
def test_faulty_references(tmp_path, lines, message):
    references = write(tmp_path / "ref.txt", *lines)
    with pytest.raises(InputError, match=message):
        list(with_references([TEXT, EMPTY], references))


def test_references_in_another_encoding(tmp_path):
    references = tmp_path / "ref.txt"
    references.write_bytes("Tür\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"ref\.txt:1: not UTF-8"):
        list(with_references([TEXT], references))


def test_no_such_references(tmp_path):
    with pytest.raises(UsageError, match=r"ref\.txt: No such file"):
        list(with_references([TEXT], tmp_path / "ref.txt"))
