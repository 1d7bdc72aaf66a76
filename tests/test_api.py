"""The Python API: what the command line gives, word by word, for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_lsg

import lsgcli
from lsgcli import InputError, Recogniser, Translator, UsageError, load_model, transcribe, translate
from lsgcli.speech.sources.decode import decode

CLIP = next(iter(sorted((Path(__file__).parent / "data" / "speech").glob("*.flac"))))
TEXT = "Good morning, my friend. The weather is nice today, and we go to the park."


def written(*arguments: str | Path, text: str = "") -> list[dict[str, Any]]:
    """The words that a command commits."""
    result = run_lsg(*arguments, "--format", "jsonl", stdin=text.encode())
    assert result.code == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    return [event for event in events if event["type"] == "write"]


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator("de")


@pytest.mark.parametrize(
    "settings", [{}, {"latency": "low"}, {"policy": "wait-k", "k": 2}], ids=str
)
def test_words_and_delays_are_those_of_the_command(translator, settings):
    options = [part for name, value in settings.items() for part in (_option(name), str(value))]
    expected = written("translate", "--to", "de", "--pace", "0", *options, text=TEXT + "\n")
    words = [word for word in translator(f"{TEXT}\n".split(" "), **settings) if word.text != "\n"]
    assert [(word.text, word.delay) for word in words] == [
        (event["text"], event["delay"]) for event in expected
    ]


def _option(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def test_a_word_comes_before_the_source_goes_on(translator):
    taken = []

    def source():
        for word in TEXT.split():
            taken.append(word)
            yield word

    seen = [len(taken) for _ in translator(source(), latency="low")]
    assert seen == sorted(seen)
    assert seen[0] <= 3
    assert seen[0] < seen[len(seen) // 2] < len(TEXT.split())


def test_lines_and_whitespace_stay(translator):
    text = "".join(map(str, translator(["Good", "morning.\n", "  Thank", "you!\n"])))
    assert text == "Guten Morgen.\n  Danke!\n"


def test_a_model_serves_stream_after_stream():
    model = load_model("en-de", to="de", threads=1)
    assert isinstance(model, Translator)
    first, again = ("".join(map(str, model(["Good", "morning."]))) for _ in range(2))
    assert first == again == "Guten Morgen.\n"


def test_speech_and_delays_are_those_of_the_command():
    expected = written("asr", CLIP)
    words = [word for word in transcribe(decode(CLIP)) if word.text != "\n"]
    assert [(word.text, word.delay) for word in words] == [
        (event["text"], event["delay"]) for event in expected
    ]
    assert words[0].delay < words[-1].delay


def test_a_recogniser_is_a_model_too():
    assert isinstance(load_model("tiny.en", to="en", from_="en"), Recogniser)


@pytest.mark.parametrize(
    ("policy", "settings", "message"),
    [
        ("wait-k", {"alpha": 0.5}, "belongs to --policy lsg"),
        ("alignatt", {}, "belongs to speech"),
        ("best", {}, "no policy 'best'"),
        ("lsg", {"beta": 1}, "no setting 'beta'"),
        ("lsg", {"alpha": 2.0}, "at most 1"),
        ("lsg", {"latency": "lowest"}, "low, medium, high or highest"),
    ],
)
def test_what_cannot_be_asked_for(translator, policy, settings, message):
    with pytest.raises(UsageError, match=message):
        translator(["a"], policy, **settings)


def test_a_text_is_not_words(translator: Translator) -> None:
    with pytest.raises(UsageError, match=r"text\.split\(\)"):
        translator("Good day")


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(1600, np.int16), r"not int16 of shape \[1600\]"),
        (np.zeros((1600, 2), np.float32), r"not float32 of shape \[1600, 2\]"),
    ],
)
def test_samples_of_another_form(samples: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(transcribe([samples]))


def test_an_unknown_model():
    with pytest.raises(lsgcli.ModelNotFoundError):
        translate(["a"], to="xx")


def test_what_is_offered_is_there_and_imported_late():
    assert all(getattr(lsgcli, name) for name in lsgcli.__all__)
    code = (
        "import sys, lsgcli; print(sorted({'numpy', 'ctranslate2', 'msgspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="nothing"):
        _ = lsgcli.nothing
