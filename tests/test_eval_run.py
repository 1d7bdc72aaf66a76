"""``lsg eval run``: whole, in pieces, killed, and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import DEADLINE, LSG, environment, run_lsg
from parallel_corpus import REFERENCES, write_corpus
from sentences import SENTENCES

from lsgcli.cli.eval_run import Minutes
from lsgcli.errors import UsageError
from lsgcli.evaluation.corpus import Sentence
from lsgcli.evaluation.logs import Instance, read_log
from lsgcli.evaluation.logs.files import line_sum
from lsgcli.evaluation.runner import evaluate, evaluate_timed
from lsgcli.evaluation.score import measure_log, summarise
from lsgcli.models.manifest import load
from lsgcli.policy.lsg import Lsg

THRESHOLDS = ("--delta", "1", "--alpha", "0.6")
EMBEDDED = Path(__file__).parents[1] / "models" / "en-de"
CORPUS = [
    Sentence(index, *pair) for index, pair in enumerate(zip(SENTENCES, REFERENCES, strict=True))
]


def translated(backend, policy, batch_size):
    found: list[Instance] = []
    evaluate(backend, policy, CORPUS, found.append, batch_size=batch_size)
    return sorted(found, key=lambda instance: instance.index)


def lsg_at(level):
    """The name of LSG at one of the embedded model's levels, with THRESHOLDS."""
    bounds = getattr(load(EMBEDDED).policies["en-de"].levels, level)
    return f"lsg-L{bounds.lower}-U{bounds.upper}-delta1-alpha0.6"


def record(log):
    return [(i.index, i.prediction, i.delays, i.reference, i.source) for i in read_log(log)]


# ---------------------------------------------------------------- what is written


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of eight systems: its directory, and what the command printed."""
    directory = tmp_path_factory.mktemp("run")
    options = (
        *write_corpus(directory),
        *("--policy", "lsg,wait-k,local-agreement,hold-n,offline"),
        *("--latency", "low,high", *THRESHOLDS, "--sweep", "k=1,3 n=2,3"),
    )
    return directory / "run", run_lsg("eval", "run", *options, "--output", directory / "run")


def test_the_directory(run):
    directory, result = run
    assert (result.code, result.lines[0].split()[:4]) == (0, ["system", "n", "empty", "BLEU"])
    systems = [
        *(lsg_at("low"), lsg_at("high"), "wait-1", "wait-3"),
        *("local-agreement-2", "local-agreement-3", "hold-2", "hold-3", "offline"),
    ]
    assert [line.split()[0] for line in result.lines[1:10]] == systems
    assert sorted(os.listdir(directory)) == sorted(
        [*systems, "results.json", "results.tsv", "run.json"]
    )
    for name in systems:
        assert sorted(os.listdir(directory / name)) == [
            "config.yaml",
            "instances.log",
            "instances.sha256",
        ]
    assert "144 sentences translated" in result.stderr


def test_the_log_is_simulevals(run):
    directory, _ = run
    (config, log) = (directory / "wait-3" / name for name in ("config.yaml", "instances.log"))
    assert config.read_text() == "source_type: text\ntarget_type: text\n"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(len(SENTENCES)))
    for line, source, reference in zip(lines, SENTENCES, REFERENCES, strict=True):
        assert (line["source"], line["reference"]) == (source, reference)
        assert line["source_length"] == len(source.split())
        assert line["prediction_length"] == len(line["prediction"].split()) == len(line["delays"])
        assert line["elapsed"] == [0] * len(line["delays"])
        assert "elapsed_queue" not in line


def test_the_log_is_what_the_live_command_writes(run, tmp_path):
    directory, _ = run
    for name, options in {
        "offline": ("--policy", "offline"),
        "wait-3": ("--policy", "wait-k", "-k", "3"),
        lsg_at("low"): ("--latency", "low", *THRESHOLDS),
    }.items():
        text = "\n".join(SENTENCES) + "\n"
        live = run_lsg("translate", "--to", "de", "--no-protect", "--pace", "0", *options,
                       stdin=text.encode())  # fmt: skip
        assert live.lines == [prediction for _, prediction, *_ in record(directory / name)]


def test_wait_k_reads_k_words_first(run):
    directory, _ = run
    for _, _, delays, _, source in record(directory / "wait-3"):
        assert delays[0] >= min(3, len(source.split()))


def test_offline_reads_everything_first(run):
    directory, _ = run
    for _, _, delays, _, source in record(directory / "offline"):
        assert set(delays) == {len(source.split())}


def test_the_results_are_the_scores_of_the_logs(run):
    directory, _ = run
    results = json.loads((directory / "results.json").read_text())
    lines = [line.split("\t") for line in (directory / "results.tsv").read_text().splitlines()]
    for system, cells in zip(results["systems"], lines[1:], strict=True):
        row = dict(zip(lines[0], cells, strict=True))
        expected = summarise(measure_log(directory / system["system"]))
        assert (row["system"], row["sentences"]) == (system["system"], str(len(SENTENCES)))
        for metric, score in expected.scores.items():
            assert system["scores"][metric]["value"] == score.value
            value = "-" if score.value is None else f"{score.value:.3f}"
            assert row[metric] == value
            if score.value is not None:
                low, high = system["scores"][metric]["interval"]
                assert low <= high


def test_the_record_says_what_was_run(run):
    directory, _ = run
    found = json.loads((directory / "run.json").read_text())
    assert found["settings"]["versions"].keys() >= {"lsg", "python", "ctranslate2", "numpy"}
    assert len(found["settings"]["model"]["sha256"]["model.bin"]) == 64
    assert found["systems"]["wait-3"] == {"policy": "wait-k", "k": 3}
    assert found["systems"][lsg_at("low")]["alpha"] == 0.6
    assert found["about"]["command"].startswith("lsg eval run --source ")
    assert found["settings"]["seed"] == 12345


def test_the_batch_size_changes_nothing(unrounded):
    """Of the order and the instances; test_engine has the decisions of other policies."""
    policy = Lsg(1.0, 0.6, 3, 4)
    alone = translated(unrounded, policy, 1)
    assert translated(unrounded, policy, 5) == alone
    assert translated(unrounded, policy, 64) == alone


def test_the_batch_size_changes_nothing_of_a_run(run, tmp_path):
    directory, _ = run
    options = ("--policy", "lsg", "--latency", "high", *THRESHOLDS, "--batch-size", "1", "-q")
    result = run_lsg("eval", "run", *write_corpus(tmp_path), *options, "-o", tmp_path / "run")
    assert (result.code, result.stderr) == (0, "")
    name = f"{lsg_at('high')}/instances.log"
    assert (tmp_path / "run" / name).read_bytes() == (directory / name).read_bytes()


# ---------------------------------------------------------------- the clock


def test_computation_aware_times(backend):
    plain = translated(backend, Lsg(1.0, 0.6, 3, 4), 4)
    ticks = iter(range(10**9))
    found: list[Instance] = []
    evaluate_timed(
        backend,
        Lsg(1.0, 0.6, 3, 4),
        CORPUS,
        found.append,
        words_per_second=0.25,
        clock=lambda: next(ticks) / 10,
    )
    assert [(i.prediction, i.delays) for i in found] == [(i.prediction, i.delays) for i in plain]
    for instance in found:
        assert instance.elapsed
        assert instance.elapsed_queue
        for d, e, q in zip(instance.delays, instance.elapsed, instance.elapsed_queue, strict=True):
            assert d < q <= e  # computing while waiting for source costs the queue nothing
        # Each event takes 0.1 s, in which the speaker says 0.025 words.
        overheads = [e - d for d, e in zip(instance.delays, instance.elapsed, strict=True)]
        steps = [round(overhead / 0.025, 3) for overhead in overheads]
        assert steps == sorted(steps)
        assert all(step == int(step) for step in steps)


def test_a_computation_aware_run(tmp_path):
    result = run_lsg("eval", "run", *write_corpus(tmp_path), "--policy", "wait-k",
                     "--computation-aware", "-o", tmp_path / "run")  # fmt: skip
    assert result.code == 0
    assert [line.split()[1] for line in result.lines[1:] if line.startswith("AL")] == ["words"] * 3
    scores = summarise(measure_log(tmp_path / "run" / "wait-3")).scores
    al, queued, aware = (scores[name].value or 0.0 for name in ("AL", "AL_CA_queue", "AL_CA"))
    assert 0 < al < queued <= aware
    settings = json.loads((tmp_path / "run" / "run.json").read_text())
    assert settings["settings"]["words_per_second"] == 2.5
    assert settings["here"]["machine"]["cores"] >= 1


# ---------------------------------------------------------------- killed and continued


def start_and_kill(*arguments, when):
    """Start the command, kill it as soon as ``when`` says so."""
    process = subprocess.Popen(
        [*LSG, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    end = time.monotonic() + DEADLINE
    while not when():
        assert process.poll() is None, "it was done before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def test_killed_and_continued_it_is_the_same(tmp_path):
    corpus = write_corpus(tmp_path, times=6)
    options = ("eval", "run", *corpus, *THRESHOLDS, "-p", "lsg,wait-k", "--batch-size", "4")
    run = tmp_path / "run"
    lsg, wait = run / lsg_at("medium"), run / "wait-3"
    start_and_kill(*options, "-o", run, when=lambda: lines(lsg / "instances.part") >= 10)
    start_and_kill(
        *options, "-o", run, "--resume", when=lambda: lines(lsg / "instances.part") >= 30
    )
    start_and_kill(
        *options, "-o", run, "--resume", when=lambda: lines(wait / "instances.part") >= 10
    )
    with (wait / "instances.part").open("ab") as part:
        part.write(b'{"index": 99, "prediction": "Ich gl')  # a line that was cut short
    kept = (wait / "instances.part").read_bytes().splitlines()[:-1]
    result = run_lsg(*options, "-o", run, "--resume", "--batch-size", "16")
    assert result.code == 0
    assert f"{192 - 96 - len(kept)} sentences translated" in result.stderr
    assert f"{96 + len(kept)} had been" in result.stderr

    whole = run_lsg(*options, "-o", tmp_path / "whole")
    assert whole.code == 0
    assert result.stdout == whole.stdout
    names = ["results.json", "results.tsv"]
    names += [f"{each.name}/{name}" for each in (lsg, wait) for name in sorted(os.listdir(each))]
    for name in names:
        assert (run / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(os.listdir(lsg)) == ["config.yaml", "instances.log", "instances.sha256"]


def test_no_sentence_is_translated_twice(tmp_path, backend):
    """What the part holds is taken as it is, whatever it says, if its checksums are right."""
    options = ("eval", "run", *write_corpus(tmp_path), "--policy", "offline")
    whole = run_lsg(*options, "-o", tmp_path / "whole")
    log = (tmp_path / "whole" / "offline" / "instances.log").read_text().splitlines()
    run = tmp_path / "run"
    (run / "offline").mkdir(parents=True)
    (tmp_path / "whole" / "run.json").rename(run / "run.json")
    changed = json.loads(log[3]) | {"prediction": "Nicht das", "delays": [10, 11],
                                    "elapsed": [0, 0], "prediction_length": 2}  # fmt: skip
    rest = f"{CORPUS[3].checksum} {json.dumps(changed)}"
    (run / "offline" / "instances.part").write_text(f"{line_sum(rest.encode())} {rest}\n")
    result = run_lsg(*options, "-o", run, "--resume")
    assert (whole.code, result.code) == (0, 0)
    found = (run / "offline" / "instances.log").read_text().splitlines()
    assert json.loads(found[3])["prediction"] == "Nicht das"
    assert found[:3] + found[4:] == log[:3] + log[4:]


def running(tmp_path: Path, streams: int) -> tuple[subprocess.Popen[bytes], tuple[object, ...]]:
    """A run that has begun and will take a while, and its command line."""
    options = (
        "eval",
        "run",
        *write_corpus(tmp_path, times=20),
        *THRESHOLDS,
        "-o",
        tmp_path / "run",
    )
    process = subprocess.Popen(
        [*LSG, *map(str, options)],
        stdout=streams,
        stderr=streams,
        env=environment(),
    )
    part = tmp_path / "run" / lsg_at("medium") / "instances.part"
    end = time.monotonic() + DEADLINE
    while lines(part) < 5:
        assert time.monotonic() < end
        time.sleep(0.005)
    return process, options


def test_interrupted_it_says_how_to_go_on(tmp_path):
    process, _ = running(tmp_path, subprocess.PIPE)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().count("\n") == 1
    assert "of 320; continue with --resume" in err.decode()


def test_resume_of_nothing_begins(tmp_path):
    options = ("eval", "run", *write_corpus(tmp_path), "--policy", "offline", "--resume")
    assert run_lsg(*options, "-o", tmp_path / "run").code == 0
    again = run_lsg(*options, "-o", tmp_path / "run")
    assert again.code == 0
    assert "0 sentences translated" in again.stderr


# ---------------------------------------------------------------- refused


def refused(*arguments, **changes):
    """The one line with which a command is refused, and its exit code."""
    result = run_lsg("eval", "run", *arguments, **changes)
    assert result.stdout == b""
    assert result.stderr.startswith("lsg: error: ")
    assert result.stderr.count("\n") == 1
    return result.code, result.stderr.removeprefix("lsg: error: ").rstrip("\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished")
    options = (*write_corpus(directory), "--policy", "wait-k")
    assert run_lsg("eval", "run", *options, "-o", directory / "run").code == 0
    return directory, options


def test_a_directory_that_is_there(finished):
    directory, options = finished
    code, line = refused(*options, "-o", directory / "run")
    assert code == 2
    assert line == (
        f"{directory}/run is already there; continue it with --resume or choose another name"
    )
    assert refused(*options, "-o", directory / "source.en")[0] == 2


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (("-k", "4"), "system wait-3 is not asked for (and 1 more"),
        (("--compute-type", "float32"), "compute_type was int8, is float32"),
        (("--threads", "1"), "threads was 0, is 1"),
        (("--computation-aware",), "words_per_second was None, is 2.5"),
    ],
)
def test_resuming_with_other_options(finished, change, difference):
    directory, options = finished
    code, line = refused(*options, *change, "-o", directory / "run", "--resume")
    assert code == 2
    assert f"run: cannot be resumed: {difference}" in line


@pytest.mark.parametrize(
    ("place", "value", "difference"),
    [
        (("settings", "versions", "ctranslate2"), "4.0.0", "versions.ctranslate2 was 4.0.0, is "),
        (("settings", "model", "sha256", "model.bin"), "ab", "model.sha256.model.bin was ab, is "),
        (("here", "machine", "cpu"), "Z80", "machine.cpu was Z80, is "),
    ],
)
def test_resuming_with_other_versions(finished, tmp_path, place, value, difference):
    directory, options = finished
    found = json.loads((directory / "run" / "run.json").read_text())
    *path, last = place
    inner = found
    for key in path:
        inner = inner[key]
    inner[last] = value
    (tmp_path / "run.json").write_text(json.dumps(found))
    code, line = refused(*options, "-o", tmp_path, "--resume")
    assert (code, difference in line) == (2, True)


def test_resuming_with_other_data(finished, tmp_path):
    directory, _ = finished
    options = write_corpus(tmp_path)
    (tmp_path / "target.de").write_text("\n".join(reversed(REFERENCES)) + "\n")
    code, line = refused(*options, "--policy", "wait-k", "-o", directory / "run", "--resume")
    assert (code, "target_sha256 was " in line) == (2, True)


def test_resuming_what_is_no_run(tmp_path):
    options = write_corpus(tmp_path)
    code, line = refused(*options, "-o", tmp_path, "--resume")
    assert (code, "not the directory of a run, it has no run.json" in line) == (2, True)
    (tmp_path / "run.json").write_text("{")
    code, line = refused(*options, "-o", tmp_path, "--resume")
    assert (code, f"{tmp_path}/run.json: " in line) == (1, True)


def test_two_at_once(tmp_path):
    process, options = running(tmp_path, subprocess.DEVNULL)
    code, line = refused(*options[2:], "--resume")
    process.kill()
    process.wait()
    assert (code, "another lsg is writing to it" in line) == (2, True)


@pytest.mark.parametrize(
    ("source", "target", "code", "message"),
    [
        ("a\nb\n", "x\n", 1, "source.en has 2 lines but "),
        ("", "", 1, "source.en: no sentences"),
        ("a\n\nb\n", "x\ny\nz\n", 1, "source.en:2: blank line"),
        ("a\nb\n", "x\n \n", 1, "target.de:2: blank line"),
        ("a\n", b"\xff\n", 1, "target.de:1: not UTF-8"),
        ("a\n", None, 2, "target.de: No such file or directory"),
    ],
)
def test_bad_data(tmp_path, source, target, code, message):
    options = write_corpus(tmp_path)
    (tmp_path / "source.en").write_text(source)
    if target is None:
        (tmp_path / "target.de").unlink()
    else:
        data = target if isinstance(target, bytes) else target.encode()
        (tmp_path / "target.de").write_bytes(data)
    found, line = refused(*options, "-o", tmp_path / "run")
    assert (found, message in line) == (code, True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sweep", "L=x"), "--sweep: L='x' is not a whole number"),
        (("--policy", "waitk"), "no policy 'waitk'; choose from lsg, lsg-words"),
        (("--latency", "lowest"), "no level 'lowest'"),
        (("--policy", "wait-k", "--delta", "1"), "--delta belongs to --policy lsg and lsg-words"),
        (("--words-per-second", "2"), "--words-per-second belongs to --computation-aware"),
        (("--computation-aware", "--words-per-second", "0"), "--words-per-second must be positive"),
        (("--model", "nothing"), "no model 'nothing'"),
        (("--to", "it"), "no model that is here translates"),
        (("--segment-ms", "320"), "--segment-ms belongs to speech; en-de takes text"),
        (("--no-vad",), "--no-vad belongs to speech; en-de takes text"),
        (("--test-set", "wmt15"), "--test-set stands for --source and --target"),
    ],
)
def test_bad_options(tmp_path, options, message):
    code, line = refused(*write_corpus(tmp_path), *options, "-o", tmp_path / "run")
    assert (code, message in line) == (2, True)
    assert not (tmp_path / "run").exists()


def test_missing_options(tmp_path):
    options = write_corpus(tmp_path)
    assert refused("--to", "de", "-o", tmp_path / "r")[1].startswith("--source FILE is missing")
    assert refused(*options[:2], "--to", "de", "-o", tmp_path / "r")[1].startswith("--target FILE")
    assert "--output" in refused(*options)[1]


def test_audio_needs_a_speech_model(tmp_path):
    options = write_corpus(tmp_path)
    manifest = tmp_path / "audio.tsv"
    manifest.write_text("id\tfile\n")
    code, line = refused(*options, "--source", manifest, "-o", tmp_path / "run")
    assert (code, "not text" in line, "speech model" in line) == (2, True, True)


def test_sets_of_sacrebleu(tmp_path):
    cache = {"SACREBLEU": str(tmp_path / "cache"), "http_proxy": "http://127.0.0.1:9",
             "https_proxy": "http://127.0.0.1:9"}  # fmt: skip
    run = ("--to", "de", "-o", tmp_path / "run", "--test-set")
    assert "sacreBLEU has no 'wmt99'" in refused(*run, "wmt99", **cache)[1]
    assert "wmt15 has no de-fr" in refused(*run, "wmt15", "--langpair", "de-fr", **cache)[1]
    code, line = refused(*run, "wmt15", "--langpair", "en-de", **cache)
    assert (code, "wmt15 is not in sacreBLEU's cache and cannot be downloaded" in line) == (2, True)


def test_output_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    code, line = refused(*write_corpus(tmp_path), "-o", tmp_path / "file" / "run")
    assert (code, "file/run: cannot be made: Not a directory" in line) == (1, True)


def test_a_warning_of_sentences_too_long_for_the_model(tmp_path):
    options = write_corpus(tmp_path)
    (tmp_path / "source.en").write_text("house " * 120 + "\nYes.\n")
    (tmp_path / "target.de").write_text("Haus\nJa.\n")
    result = run_lsg("eval", "run", *options, "--policy", "offline", "-o", tmp_path / "run")
    assert result.code == 0
    assert "1 of 2 sentences have more than the 96 tokens" in result.stderr


def test_unfinished_runs_are_not_scored(tmp_path, finished):
    from lsgcli.evaluation.selection import select_logs

    directory, _ = finished
    (tmp_path / "run.json").write_bytes((directory / "run" / "run.json").read_bytes())
    with pytest.raises(UsageError, match="wait-3 is not finished"):
        select_logs([tmp_path])


def test_progress_in_a_log_file(caplog):
    """A line a minute, with the time that is left."""
    times = iter([0, 30, 60, 90, 130])
    progress = Minutes(100, clock=lambda: next(times))
    with caplog.at_level("INFO", logger="lsgcli"):
        for count in (10, 10, 10, 10, 20):
            progress("wait-k3", count)
    assert caplog.messages == ["wait-k3: 30 of 100, 4 min left", "wait-k3: 60 of 100, 2 min left"]
