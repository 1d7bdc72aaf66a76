"""`lsg` on text without spaces, from end to end.

The model is the embedded one under other languages' names: it knows no Chinese, so what it writes
is nonsense, but what it is shown, when, and what becomes of it is the same as with a good one.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from brute import Brute
from conftest import ROOT, Live, Result, run_lsg
from sentences import SENTENCES
from test_engine import commits, expected, simulate
from test_units import PARAGRAPH

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.models.catalog import find
from lsgcli.policy.baselines import LocalAgreement, WaitK
from lsgcli.policy.lsg import Lsg
from lsgcli.text.units import Divider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lsgcli.core.backend import Backend

ZH = "我弟弟想买一辆新车，因为旧车坏了。"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model, that takes Chinese for English and German for Chinese."""
    directory = tmp_path_factory.mktemp("models") / "pretender"
    shutil.copytree(ROOT / "models/en-de", directory)
    file = directory / "manifest.toml"
    head, rest = file.read_text(encoding="utf-8").split("[policies.", 1)
    head = head.replace('["en-de", "de-en"]', '["zh-de", "en-zh", "ja-de", "en-de"]')
    head = head.replace("max_source_tokens = 96", "max_source_tokens = 250")
    file.write_text(f'{head}[codes]\nzh = "de"\nja = "en"\n', encoding="utf-8")
    assert rest
    return directory


def translated(model: Path, source: str, target: str, text: str, *more: str) -> Result:
    done = run_lsg(
        "translate", "--model", model, "--from", source, "--to", target, "--threads", "1", *more,
        stdin=text.encode(),
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return done


def objects(done: Result, kind: str) -> list[dict[str, object]]:
    return [each for each in map(json.loads, done.lines) if each["type"] == kind]


@pytest.mark.parametrize("more", [(), ("--no-protect",), ("--pace", "0", "-p", "wait-k")])
def test_a_paragraph_is_translated_sentence_by_sentence(model: Path, more: tuple[str, ...]) -> None:
    done = translated(model, "zh", "de", PARAGRAPH + "\n", "--format", "jsonl", *more)
    assert done.stderr == ""
    segments = objects(done, "segment")
    assert len(segments) == 6
    assert "".join(str(each["source"]) for each in segments) == PARAGRAPH
    assert all(
        each["source_length"] == len(Divider("zh")(str(each["source"]))) for each in segments
    )
    assert not [each for each in objects(done, "write") if each["reason"] == "protected"]


def test_what_is_read_as_one_word_is_told(model: Path) -> None:
    done = translated(model, "en", "de", PARAGRAPH + "\n")
    assert done.text == PARAGRAPH + "\n"
    assert "more than 100 characters without a space are copied" in done.stderr


def test_it_is_written_while_it_arrives(model: Path, live: Callable[..., Live]) -> None:
    process = live(
        "--model", str(model), "--from", "zh", "--format", "jsonl", "-p", "wait-k", "-k", "1"
    )
    process.feed(ZH[:7].encode()[:-1])  # a character is cut
    process.until(lambda out: b'"type":"write"' in out)
    process.feed(ZH[:7].encode()[-1:] + ZH[7:].encode() + b"\n")
    done = process.finish()
    reads = [str(each["text"]) for each in objects(done, "read")]
    assert "".join(reads) == ZH
    assert reads[0] in ("我", "我弟弟")  # the next unit may go on


def test_sentences_are_joined(model: Path) -> None:
    done = translated(model, "zh", "de", f"{ZH}{ZH}\n")
    one = translated(model, "zh", "de", f"{ZH}\n").text.strip()
    assert done.text == f"{one} {one}\n"


def test_a_target_without_spaces_has_them_only_where_the_model_writes_them(model: Path) -> None:
    """The same model and the same words, so the same text, whatever its units are."""
    text = "\n".join(SENTENCES) + "\n"
    assert translated(model, "en", "zh", text).text == translated(model, "en", "de", text).text
    done = translated(model, "en", "zh", "Good morning! Yes.\n", "--format", "jsonl")
    for each in objects(done, "segment"):
        assert len(each["delays"]) >= len(str(each["prediction"]).split())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def backend(model: Path) -> Backend:
    return open_backend(find(str(model), "en", "zh"), Placement(compute_type="float32"))


@pytest.fixture(scope="module")
def plain(model: Path) -> Backend:
    return open_backend(find(str(model), "en", "zh"), Placement(compute_type="float32"))


def test_decisions_are_those_of_the_method(backend: Backend, plain: Backend) -> None:
    sources = [tuple(line.split()) for line in SENTENCES[:4]]
    policy, brute = Lsg(1.0, 0.6, 1, 4), Brute(plain)
    for source, events in zip(sources, simulate(backend, sources, policy), strict=True):
        assert commits(events) == expected(plain, brute.lsg(source, policy))
    for source, events in zip(sources, simulate(backend, sources, WaitK(2)), strict=True):
        assert commits(events) == expected(plain, brute.wait_k(source, 2))
    for source, events in zip(sources, simulate(backend, sources, LocalAgreement(2)), strict=True):
        assert commits(events) == expected(plain, brute.stable(source, 2, 0))


def test_a_run_counts_characters(model: Path, tmp_path: Path) -> None:
    files = {"zh": f"{ZH}\n今天天气很好。\n", "en": "Good morning!\nYes, it is.\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for source, target, tokenizer in (("zh", "de", "13a"), ("en", "zh", "zh")):
        out = tmp_path / f"{source}-{target}"
        done = run_lsg(
            "eval", "run", "--model", model, "--from", source, "--to", target, "--source",
            tmp_path / source, "--target", tmp_path / ("en" if source == "zh" else "zh"),
            "-p", "wait-k", "-k", "2", "--threads", "1", "--output", out, "--quiet",
        )  # fmt: skip
        assert done.code == 0, done.stderr
        assert f"tok:{tokenizer}|" in done.text
        assert f"tok:{tokenizer}|" in run_lsg("eval", "score", out).text
        log = (out / "wait-2/instances.log").read_text(encoding="utf-8").splitlines()
        for line in map(json.loads, log):
            text = line["prediction"]
            units = text.split() if target == "de" else list(text.replace(" ", ""))
            assert len(line["delays"]) == len(units)
        first = json.loads(log[0])
        assert first["source_length"] == (len(ZH) if source == "zh" else 2)
        assert first["delays"][-1] <= first["source_length"]
    assert first["delays"][0] == 2
    zh = json.loads((tmp_path / "zh-de/wait-2/instances.log").read_text("utf-8").splitlines()[0])
    assert zh["delays"][0] == len("我弟弟")
