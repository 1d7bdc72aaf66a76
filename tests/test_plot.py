"""``lsg eval plot``: files that are pictures, and pictures made of characters."""

from __future__ import annotations

import json
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import LSG, run_lsg
from parallel_corpus import write_corpus

from lsgcli.evaluation.curves import Measured, figures
from lsgcli.evaluation.logs import Instance, write_simuleval
from lsgcli.models.manifest import load

EMBEDDED = Path(__file__).parents[1] / "models" / "en-de"
needs_matplotlib = pytest.mark.skipif(
    subprocess.run([LSG[0], "-c", "import matplotlib"], capture_output=True).returncode != 0,
    reason="needs matplotlib",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("plot")
    options = ("--policy", "lsg,wait-k,offline", "--latency", "all", "--sweep", "k=1,3,5")
    result = run_lsg("eval", "run", *write_corpus(directory), *options, "-o", directory / "run")
    assert result.code == 0
    return directory / "run"


def plot(*arguments, **changes):
    result = run_lsg("eval", "plot", *arguments, **changes)
    assert (result.code, result.stderr) == (0, "")
    return result.lines


def refused(*arguments, **changes):
    result = run_lsg("eval", "plot", *arguments, **changes)
    assert result.stdout == b""
    assert result.stderr.count("\n") == 1
    return result.code, result.stderr.removeprefix("lsg: error: ").rstrip("\n")


# ---------------------------------------------------------------- in characters


def test_in_characters(run):
    lines = plot(run, "--title", "Made up")
    assert lines[:2] == ["Made up", "BLEU"]
    drawing = "".join(line.partition("┤")[2] for line in lines)
    assert drawing.count("A") + drawing.count("B") + drawing.count("*") >= 5
    assert "A  LSG" in lines
    assert "B  wait-k" in lines
    assert any(line.startswith("╌  offline, ") for line in lines)
    assert any(line.endswith("AL (source words)") for line in lines)


def test_other_metrics(run):
    lines = plot(run, "--latency-metric", "DAL", "--quality-metric", "TER")
    assert lines[0] == "TER"
    assert any(line.endswith("DAL (source words)") for line in lines)


def test_a_single_log_is_a_point(run):
    lines = plot(run / "wait-3")
    assert f"A  {run / 'wait-3'}" in lines


def test_runs_of_two_models(run, tmp_path):
    (tmp_path / "other").symlink_to(run)
    assert "A  run: LSG" in plot(run, tmp_path / "other")


def test_a_staircase(run):
    lines = plot(run / "wait-3", run / "offline", "--example", "0")
    assert lines[0] == f"{run / 'wait-3'}: sentence 0"
    assert lines[1].startswith("  3 ███·········  ")
    assert lines[1].endswith("← The house is")
    assert lines[2].startswith("  4 ████········  ")
    middle = lines.index("")
    assert lines[middle + 1] == f"{run / 'offline'}: sentence 0"
    assert lines[middle + 2].startswith(" 12 ████████████  ")


def test_a_staircase_of_speech(tmp_path):
    instances = [
        Instance(0, "ja 日本", (1000, 1500), 2000, "speech", "ja", ("a.wav",)),
        Instance(1, "", (), 2000, "speech", "ja", ("b.wav",)),
    ]
    write_simuleval(tmp_path / "log", instances, source_type="speech")
    first, second = plot(tmp_path / "log", "--example", "0")[1:]
    assert first == "  1.00 s " + "█" * 30 + "·" * 30 + "  ja"
    assert second == "  1.50 s " + "█" * 45 + "·" * 15 + "  日本"
    assert plot(tmp_path / "log", "--example", "1")[1:] == ["(no hypothesis)"]


# ---------------------------------------------------------------- in files


@needs_matplotlib
def test_png(run, tmp_path):
    assert plot(run, "--confidence", "-o", tmp_path / "plot.png") == []
    data = (tmp_path / "plot.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (1280, 960)


@needs_matplotlib
def test_svg_says_what_it_shows(run, tmp_path):
    assert plot(run, "--title", "Made up", "-o", tmp_path / "a" / "plot.svg") == []
    file = tmp_path / "a" / "plot.svg"
    texts = ["".join(node.itertext()) for node in ElementTree.parse(file).iter()]
    low = load(EMBEDDED).policies["en-de"].levels.low
    mark = f"[{low.lower},{low.upper}]"
    for expected in ("LSG", "wait-k", "AL (source words)", "BLEU", "Made up", mark):
        assert expected in texts
    plot(run, "--title", "Made up", "-o", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == file.read_bytes()
    assert [each.name for each in file.parent.iterdir()] == ["plot.svg"]


@needs_matplotlib
def test_staircases_in_a_file(run, tmp_path):
    plot(run / "wait-3", run / "offline", "--example", "3", "-o", tmp_path / "stairs.svg")
    texts = ["".join(node.itertext()) for node in ElementTree.parse(tmp_path / "stairs.svg").iter()]
    assert {"She", "tomorrow", str(run / "wait-3")} <= set(texts)


def test_without_matplotlib(run, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('no matplotlib')")
    changes = {"PYTHONPATH": str(tmp_path)}
    code, line = refused(run, "-o", tmp_path / "p.png", **changes)
    assert (code, "pip install 'lsg[plot]'" in line) == (2, True)
    assert "A  LSG" in plot(run, **changes)


def test_refused(run, tmp_path):
    assert "must end in .png, .svg, .pdf" in refused(run, "-o", tmp_path / "p.bmp")[1]
    assert (
        "no sentence 99; they are numbered from 0" in refused(run / "wait-3", "--example", "99")[1]
    )
    assert "--example shows up to 6 systems, not 8" in refused(run, "--example", "1")[1]
    assert (
        "nothing to plot: no system has both AL_CA" in refused(run, "--latency-metric", "AL_CA")[1]
    )
    assert "no quality metric `AL`" in refused(run, "--quality-metric", "AL")[1]
    assert "nowhere: No such file" in refused(tmp_path / "nowhere")[1]


@needs_matplotlib
def test_a_plot_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, line = refused(run, "-o", tmp_path / "file" / "p.png")
    assert (code, "file/p.png: cannot be written: " in line) == (1, True)


# ---------------------------------------------------------------- which curves


def system(name, latency, quality, settings=None, group=""):
    scores = {
        metric: SimpleNamespace(value=value, interval=None, measure=measure)
        for metric, value, measure in (("AL", latency, "words"), ("BLEU", quality, "%"))
    }
    score: Any = SimpleNamespace(name=name, scores=scores)
    return Measured(score, settings, group)


def lsg(delta, alpha, lower, latency, quality):
    settings = {"policy": "lsg", "delta": delta, "alpha": alpha, "lower": lower, "upper": 4,
                "direction": "forward"}  # fmt: skip
    return system("", latency, quality, settings)


def labels(systems):
    return [curve.label for curve in figures(systems, "AL", "BLEU").curves]


def test_points_are_in_the_order_of_latency():
    systems = [system("", k, 10 + k, {"policy": "wait-k", "k": k}) for k in (5, 1, 3)]
    (curve,) = figures(systems, "AL", "BLEU").curves
    assert [(point.latency, point.mark) for point in curve.points] == [(1, "1"), (3, "3"), (5, "5")]


def test_thresholds_are_curves():
    assert labels([lsg(1, 0.6, 1, 2, 20), lsg(1, 0.6, 3, 3, 22)]) == ["LSG"]
    assert labels([lsg(1, 0.6, 1, 2, 20), lsg(2, 1, 1, 3, 22)]) == [
        "LSG δ=1 α=0.6",
        "LSG δ=2 α=1",
    ]


def test_a_pair_of_thresholds_for_each_range_is_one_curve():
    assert labels([lsg(1, 0.6, 1, 2, 20), lsg(2, 0.9, 3, 3, 22)]) == ["LSG"]
    assert labels([lsg(1, 0.6, 1, 2, 20), lsg(2, 0.9, 3, 3, 22), lsg(1, 0.6, 4, 4, 23)]) == ["LSG"]


def test_many_thresholds_are_a_front():
    systems = [lsg(delta, 0.6, 1, delta, 20 - abs(delta - 5)) for delta in range(10)]
    (curve,) = figures(systems, "AL", "BLEU").curves
    assert curve.label == "LSG, Pareto front of 10"
    assert [point.latency for point in curve.points] == [0, 1, 2, 3, 4, 5]


def test_infinite_thresholds_have_a_label():
    assert labels([lsg("inf", 0.6, 1, 2, 20), lsg(1, 0.6, 1, 2, 20)])[0] == "LSG δ=inf α=0.6"


def test_errors_are_better_when_low():
    systems = [lsg(n, 0.6, 1, n, rate) for n, rate in enumerate((50, 60, 40, 45, 44, 43, 30))]
    for system in systems:
        system.score.scores["WER"] = system.score.scores["BLEU"]
    (curve,) = figures(systems, "AL", "WER").curves
    assert [point.latency for point in curve.points] == [0, 2, 6]


def test_what_has_no_score_is_left_out():
    assert labels([system("a", None, 20), system("b", 1, 20)]) == ["b"]


def test_a_run_that_is_not_finished(run, tmp_path):
    (tmp_path / "run.json").write_bytes((run / "run.json").read_bytes())
    code, line = refused(tmp_path)
    assert (code, "is not finished; continue with lsg eval run --resume" in line) == (2, True)
    (tmp_path / "run.json").write_text(json.dumps({"settings": {}}))
    assert refused(tmp_path)[0] == 1
