"""The recogniser in the box, and which model is taken when none is named: real speech."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import jiwer
import pytest
from conftest import Result, run_lsg
from test_cli import check_error

from lsgcli.models.catalog import embedded

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEECH = Path(__file__).parent / "data" / "speech"
SAID: Mapping[str, str] = {
    "en_jfk": "and so my fellow americans ask not what your country can do for you ask what you "
    "can do for your country",
    "en_ss_0870": "and mr john dashwood had then leisure to consider how much there might be "
    "prudently in his power to do for them",
    "en_lj_001_0005": "the invention of movable metal letters in the middle of the 15th century "
    "may justly be considered as the invention of the art of printing",
}
GERMAN = SPEECH / "de_thorsten_3.flac"


def plain(text: str) -> str:
    """Words without case and punctuation."""
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c.isspace()).split())


def errors(name: str, written: str) -> float:
    return float(jiwer.wer(SAID[name], plain(written)))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def lsg(home: Path, *arguments: str | Path) -> Result:
    """Run ``lsg`` where nothing has been pulled, and the network leads nowhere."""
    return run_lsg(
        *arguments, LSG_HOME=str(home), HF_HOME=str(home / "hf"), HF_ENDPOINT="http://127.0.0.1:9"
    )


def give_base(home: Path, directions: str) -> None:
    """Put a model in the place of Whisper base; it says of itself that it knows ``directions``."""
    directory = home / "models" / "Systran--faster-whisper-base"
    shutil.copytree(embedded()["digits-en"], directory)
    manifest = directory / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('"en-en", "en-de"', directions))


@pytest.mark.parametrize("name", SAID)
def test_out_of_the_box(home, name):
    result = lsg(home, "asr", "--policy", "offline", SPEECH / f"{name}.flac")
    assert (result.code, result.stderr) == (0, "")
    assert errors(name, result.text) <= 0.15


def test_english_by_name(home):
    result = lsg(home, "asr", "--language", "en", "-f", "jsonl", SPEECH / "en_ss_0870.flac")
    assert result.code == 0
    segments = [each for each in map(json.loads, result.lines) if each["type"] == "segment"]
    assert errors("en_ss_0870", " ".join(each["prediction"] for each in segments)) <= 0.15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("asr", "--language", "german"), r"knows German; .*lsg models pull base \(145 MB\)"),
        (("asr", "--language", "auto"), "by ear.*lsg models pull base"),
        (("st",), "by ear.*lsg models pull base"),
        (("st", "--language", "fr"), "knows French; .*lsg models pull base"),
        (("st", "--language", "en", "--to", "de"), "lsg asr … | lsg translate --to de"),
    ],
)
def test_what_is_missing_is_named(home, arguments, message):
    check_error(lsg(home, *arguments, GERMAN), 2, message)


def test_a_multilingual_model_that_is_here_is_used(home):
    give_base(home, '"de-de", "de-en", "en-en"')
    for arguments in (("asr", "--language", "de"), ("st", "--language", "de"), ("st",)):
        result = lsg(home, *arguments, GERMAN)
        assert "models pull" not in result.stderr, arguments
    assert lsg(home, "asr", "--language", "de", GERMAN).code == 0


def test_a_model_for_other_languages_is_not(home):
    give_base(home, '"fr-fr", "en-en"')
    check_error(lsg(home, "asr", "--language", "de", GERMAN), 2, "lsg models pull base")


def test_a_target_to_which_it_does_not_translate(home):
    give_base(home, '"de-de", "en-en", "de-en"')
    named = home / "models" / "Systran--faster-whisper-base"
    wrong = lsg(home, "st", "--model", named, "--to", "de", GERMAN)
    check_error(wrong, 2, "does not translate to de; it recognises de if that is named")
    assert lsg(home, "st", "--model", named, "--to", "de", "--language", "de", GERMAN).code == 0


def test_it_need_not_be_pulled(home):
    result = lsg(home, "models", "pull", "tiny.en")
    assert (result.code, Path(result.lines[0])) == (0, embedded()["tiny.en"])
    assert "embedded" in result.stderr
