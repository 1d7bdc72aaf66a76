"""An encoder-decoder of characters: the engine's promises, and the commands from end to end."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from brute import Brute
from conftest import ROOT, Live, run_lsg
from test_engine import commits, evident, expected, simulate

from lsgcli.backends import open_backend
from lsgcli.backends.encoder_decoder import EncoderDecoderBackend
from lsgcli.core.backend import Placement
from lsgcli.core.segment import request_whole
from lsgcli.core.steps import Query
from lsgcli.errors import ManifestError, ModelNotFoundError
from lsgcli.models.catalog import find
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lsgcli.policy.base import Policy

WORDS = ["آتشا", "محمد", "القاهرة", "السعودية", "عبدالرحمن", "نور", "شكرا", "مصر", "الرياض", "ب"]
SOURCES = [tuple(word) for word in WORDS]
MANIFEST = """\
version = 1
kind = "encoder-decoder"
directions = ["ar-en"]
licence = "MIT"
max_source_tokens = 64
sentences = false
source = {tokenizer = {type = "characters"}, unit = "character"}
target = {end = ["</s>"], unit = "character"}
policy = {delta = 1.0, alpha = 0.6}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CTranslate2's Arabic-English transliteration model with a manifest beside it."""
    origin = ROOT.parent / "shared/models/aren-transliteration"
    if not origin.is_dir():
        pytest.skip("needs ../shared")
    directory = tmp_path_factory.mktemp("aren")
    text = MANIFEST
    for file in sorted(origin.iterdir()):
        shutil.copyfile(file, directory / file.name)
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        text += f'[files."{file.name}"]\nsize = {len(data)}\nsha256 = "{digest}"\n'
    (directory / "manifest.toml").write_text(text, encoding="utf-8")
    return directory


def opened(model: Path, compute_type: str) -> EncoderDecoderBackend:
    backend = open_backend(find(str(model), None, "en"), Placement(compute_type=compute_type))
    backend.ready()
    assert isinstance(backend, EncoderDecoderBackend)
    return backend


@pytest.fixture(scope="module")
def int8(model: Path) -> EncoderDecoderBackend:
    return opened(model, "int8")


@pytest.fixture(scope="module")
def plain(model: Path) -> EncoderDecoderBackend:
    """One that is asked for one distribution after the other, and so never goes ahead."""
    return opened(model, "int8")


@pytest.mark.parametrize(
    "policy", [Lsg(1.0, 0.6, 1, 4), Lsg(0.01, 0.9, 1, 4), Lsg(0.5, 0.9, 2, 3, "reverse")]
)
def test_lsg(int8: EncoderDecoderBackend, plain: EncoderDecoderBackend, policy: Lsg) -> None:
    for source, events in zip(SOURCES, simulate(int8, SOURCES, policy), strict=True):
        assert commits(events) == expected(plain, Brute(plain).lsg(source, policy))


@pytest.mark.parametrize("k", [1, 2])
def test_wait_k(int8: EncoderDecoderBackend, plain: EncoderDecoderBackend, k: int) -> None:
    for source, events in zip(SOURCES, simulate(int8, SOURCES, WaitK(k)), strict=True):
        assert commits(events) == expected(plain, Brute(plain).wait_k(source, k))


@pytest.mark.parametrize(("policy", "keep", "hold"), [(LocalAgreement(2), 2, 0), (HoldN(1), 1, 1)])
def test_stable_prefixes(
    int8: EncoderDecoderBackend,
    plain: EncoderDecoderBackend,
    policy: Policy,
    keep: int,
    hold: int,
) -> None:
    for source, events in zip(SOURCES, simulate(int8, SOURCES, policy), strict=True):
        assert commits(events) == expected(plain, Brute(plain).stable(source, keep, hold))


def test_offline_and_generate(int8: EncoderDecoderBackend, plain: EncoderDecoderBackend) -> None:
    replies = list(int8.generate([request_whole(source, int8.lexicon) for source in SOURCES]))
    for source, events, tokens in zip(
        SOURCES, simulate(int8, SOURCES, Offline()), replies, strict=True
    ):
        words = Brute(plain).rest(source, ())
        assert commits(events) == expected(plain, [(w, len(source), "finished") for w in words])
        assert tokens == tuple(token for word in words for token in word)


def test_a_reply_does_not_depend_on_its_company(model: Path) -> None:
    """But for the last bits, which are another sum's in a larger product on some CPUs."""
    queries = [Query(source, (3 + n % 5,) * (n % 4), (), 3) for n, source in enumerate(SOURCES)]
    together = opened(model, "float32").forward(queries)
    other = opened(model, "float32")
    for query, rows in zip(queries, together, strict=True):
        alone = other.forward([query])[0]
        assert [row.likeliest for row in rows] == [row.likeliest for row in alone]
        for row, same in zip(rows, alone, strict=True):
            np.testing.assert_allclose(row.logp, same.logp, atol=1e-3)


@pytest.mark.parametrize("policy", [Lsg(1.0, 0.6, 1, 4), LocalAgreement(2)])
def test_the_batch_does_not_change_a_segment(model: Path, policy: Policy) -> None:
    backend = opened(model, "float32")
    alone, few, all_ = (
        [evident(events) for events in simulate(backend, SOURCES, policy, batch_size=size)]
        for size in (1, 3, 64)
    )
    assert few == alone
    assert all_ == alone


def test_nothing_is_suppressed(int8: EncoderDecoderBackend) -> None:
    """CTranslate2 forbids the end as the first token, unless it is told not to."""
    (row,) = int8.forward([Query(SOURCES[0], ())])[0]
    end = int8.lexicon.target.id("</s>")
    assert row.logp.min() > -100
    assert row.logp[end] > -100
    assert abs(sum(map(float, 2.718281828459045**row.logp)) - 1) < 1e-4


def test_a_forced_token_is_as_if_it_had_been_chosen(model: Path) -> None:
    backend, other = opened(model, "int8"), opened(model, "int8")
    source = SOURCES[3]
    rows = backend.forward([Query(source, (), (), 12)])[0]
    tokens = tuple(row.likeliest for row in rows)
    forced = other.forward([Query(source, (), tokens[:-1])])[0]
    assert [row.logp.tolist() for row in forced] == [row.logp.tolist() for row in rows]


def test_an_empty_source_has_no_translation(int8: EncoderDecoderBackend) -> None:
    (row,) = int8.forward([Query((), ())])[0]
    assert int8.lexicon.ends(row.token)


def test_a_pass_goes_on_to_the_end_of_a_word_and_further_when_asked_again(model: Path) -> None:
    backend = opened(model, "int8")
    target: tuple[int, ...] = ()
    lengths: list[int] = []
    while not lengths or target[-1] != backend.lexicon.target.id("</s>"):
        rows = backend.forward([Query(SOURCES[4], target, (), 30)])[0]
        target += tuple(row.likeliest for row in rows)
        lengths.append(len(rows))
    assert lengths[:3] == [2, 3, 5]  # a character and the next, two of them, four


@pytest.mark.parametrize(
    ("policy", "translated"),
    [
        (("-p", "offline"), "acha mahmad (qahra)\nnor\n"),
        (("-p", "wait-k", "-k", "1"), None),
        (("-p", "local-agreement"), None),
        (("-L", "2", "-U", "1"), None),
    ],
)
def test_lsg_translate(model: Path, policy: tuple[str, ...], translated: str | None) -> None:
    """Words are segments of their own; what the model has no characters for is copied."""
    to_english = ("translate", "--to", "en", "--model", model, "--pace", "0")
    done = run_lsg(*to_english, *policy, stdin="آتشا محمد (القاهرة)\nنور\n".encode())
    assert done.code == 0, done.stderr
    assert [len(line.split()) for line in done.lines] == [3, 1]
    assert done.lines[0].endswith(")")
    if translated:
        assert done.text == translated


def test_characters_are_read_as_they_come(model: Path, live: Callable[..., Live]) -> None:
    """No word has ended yet, and the first letter has been written."""
    process = live("--to", "en", "--model", str(model), "-p", "wait-k", "-k", "1")
    process.feed("م")
    process.until(lambda out: out == b"m")
    process.feed("حمد\n")
    assert process.finish().text == "mahmad\n"


def test_complete_lines_are_translated_in_bulk(model: Path) -> None:
    done = run_lsg("translate", "--to", "en", "--model", model, stdin="\n".join(WORDS).encode())
    assert done.lines[:3] == ["acha", "mahmad", "qahra"]


def test_eval_run_counts_characters(model: Path, tmp_path: Path) -> None:
    (tmp_path / "s").write_text("آتشا\nمحمد\n", encoding="utf-8")
    (tmp_path / "t").write_text("acha\nmuhammad\n", encoding="utf-8")
    files = ("--source", tmp_path / "s", "--target", tmp_path / "t")
    out = tmp_path / "run"
    done = run_lsg(
        "eval", "run", "--model", model, "--to", "en", *files, "-p", "wait-k", "-k", "1",
        "--output", out, "--quiet",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    lines = (out / "wait-1/instances.log").read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert first["source_length"] == 4
    assert len(second["prediction"]) == len(second["delays"])
    assert second["delays"][:3] == [1, 2, 3]


def test_protected_words_need_words(model: Path) -> None:
    done = run_lsg("translate", "--to", "en", "--model", model, "--protect-regex", "x")
    assert done.code == 2
    assert "reads characters" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('end = ["</s>"]', 'end = ["<eos>"]', "target.end: the model has no token '<eos>'"),
        ('end = ["</s>"]', 'end = ["</s>"], parts = ["{target}", "x"]', "end with {target}"),
        ('end = ["</s>"]', 'end = ["</s>"], parts = ["<2en>", "{target}"]', "no token '<2en>'"),
        ('unit = "character"}\ntarget', 'parts = ["a{source}"]}\ntarget', "must hold {source}"),
        ('"characters"', '"sentencepiece", file = "../x"', "plain file name"),
    ],
)
def test_a_faulty_manifest(model: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    directory = shutil.copytree(model, tmp_path / "model")
    text = (directory / "manifest.toml").read_text(encoding="utf-8")
    assert old in text
    (directory / "manifest.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        open_backend(find(str(directory), None, "en"), Placement())
    assert message in str(caught.value)


def test_any_language_must_be_named(model: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(model, tmp_path / "model")
    text = (
        MANIFEST.replace('"ar-en"', '"*-*"')
        + "[codes]\nar = 'ara_Arab'\nen = 'eng_Latn'\n[files]\n"
    )
    (directory / "manifest.toml").write_text(text, encoding="utf-8")
    assert find(str(directory), "ar", "en").source == "ar"
    with pytest.raises(ModelNotFoundError, match="--from"):
        find(str(directory), None, "en")
    for source, target in (("ar", "de"), ("ar", "ar")):
        with pytest.raises(ModelNotFoundError, match="does not translate"):
            find(str(directory), source, target)
