"""``--hotwords`` and ``--prompt``: real speech, and how names come to be spelt as asked."""

from __future__ import annotations

import pytest
from conftest import run_lsg
from test_cli import check_error
from test_recogniser import SAID, SPEECH, errors, plain

NAMED = SPEECH / "en_ss_0870.flac"  # and mister john dashwood had then leisure …


@pytest.mark.parametrize("policy", ["offline", "lsg"])
def test_a_name_is_spelt_as_asked(policy):
    asr = ("asr", "--policy", policy, NAMED)
    assert "Dashwood " in run_lsg(*asr).text
    result = run_lsg(*asr, "--hotwords", "Norland, Dashwoode")
    assert result.code == 0
    assert "Dashwoode " in result.text
    assert errors("en_ss_0870", result.text.replace("Dashwoode", "Dashwood")) <= 0.15
    assert "Norland" not in result.text


def test_from_a_file(tmp_path):
    (tmp_path / "names").write_text("\nFrances Burney\n Dashwoode \n\n")
    result = run_lsg("asr", NAMED, "--hotwords", "names", cwd=tmp_path)
    assert "Dashwoode " in result.text
    assert "Burney" not in result.text


def test_a_prompt_sets_the_style():
    usual = run_lsg("asr", "--policy", "offline", SPEECH / "en_jfk.flac").text
    assert usual != usual.lower()
    style = "this is how i write no capitals no marks, "
    result = run_lsg("asr", "--policy", "offline", SPEECH / "en_jfk.flac", "--prompt", style)
    assert sum(map(str.isupper, result.text)) < sum(map(str.isupper, usual))
    assert errors("en_jfk", result.text) <= 0.15


def test_it_stays_when_the_window_scrolls(tmp_path):
    """Said again and again, the name is spelt as asked to the end."""
    import numpy as np
    from test_speech import write_wav

    from lsgcli.speech.sources.decode import decode

    said = np.concatenate(list(decode(NAMED)))
    gap = np.zeros(8000, np.float32)
    samples = np.concatenate([said, gap, said, gap, said, gap, said]) * 32767
    file = write_wav(tmp_path / "four.wav", samples)
    result = run_lsg("asr", file, "--latency", "high", "--hotwords", "Dashwoode")
    assert plain(result.text).split().count("dashwoode") == 4
    assert len(result.text.split()) < 5 * len(SAID["en_ss_0870"].split())


def test_special_tokens_are_words():
    result = run_lsg("asr", NAMED, "--prompt", "<|endoftext|> <|startoftranscript|>")
    assert result.code == 0
    assert errors("en_ss_0870", result.text) <= 0.3


def test_too_many_and_missing(tmp_path):
    (tmp_path / "names").write_text("".join(f"Xyzzy{n}\n" for n in range(100)))
    result = run_lsg("asr", NAMED, "--hotwords", "names", cwd=tmp_path)
    check_error(result, 2, r"prompt and hotwords are \d+ tokens; there is room for 127")
    check_error(run_lsg("asr", NAMED, "--hotwords", "./names.txt"), 2, r"names\.txt: no such file")
