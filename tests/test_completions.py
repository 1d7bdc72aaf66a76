"""The completion scripts: what the command line generates, and they work in a real shell.

``python tests/test_completions.py`` (``make completions``) writes them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer._completion_shared import get_completion_script

FOLDER = Path(__file__).parents[1] / "completions"
FILES = {"bash": "lsg.bash", "zsh": "_lsg", "fish": "lsg.fish"}
HEAVY = ("ctranslate2", "numpy", "sentencepiece", "tokenizers", "sentencex")


def script(shell: str) -> str:
    text = get_completion_script(prog_name="lsg", complete_var="_LSG_COMPLETE", shell=shell)
    return text.strip() + "\n"


@pytest.mark.parametrize("shell", FILES)
def test_scripts_are_what_the_command_line_generates(shell):
    assert (FOLDER / FILES[shell]).read_text() == script(shell)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> str:
    """PATH with an ``lsg`` that tells which heavy modules completing has imported."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "lsg"
    program.write_text(
        f"#!{sys.executable}\n"
        "import atexit, os, sys\n"
        f"def check(code, leave=os._exit):\n"
        f"    heavy = sorted(sys.modules.keys() & set({HEAVY}))\n"
        "    print('imported', *heavy, file=sys.stderr) if heavy else None\n"
        "    leave(code)\n"
        "os._exit = check\n"
        "from lsgcli.__main__ import main\n"
        "main()\n"
    )
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def complete(path: str, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    quoted = " ".join(f"'{word}'" for word in words)
    code = (
        f"source {FOLDER}/lsg.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
        "$(complete -p lsg | sed 's/.*-F \\([^ ]*\\).*/\\1/') lsg; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("words", "offer"),
    [
        (["lsg", "tr"], {"translate"}),
        (["lsg", "translate", "--late"], {"--latency"}),
        (
            ["lsg", "translate", "--policy", ""],
            {"lsg", "lsg-words", "wait-k", "local-agreement", "hold-n", "offline"},
        ),
        (["lsg", "asr", "--policy", "a"], {"alignatt"}),
        (["lsg", "translate", "--to", "d"], {"da", "de"}),
        (["lsg", "translate", "--to", "de", "--model", "en-"], {"en-de", "en-fr-es"}),
        (["lsg", "asr", "--model", "tiny.e"], {"tiny.en"}),
        (["lsg", "translate", "--policy", "w"], {"wait-k"}),
        (["lsg", "translate", "--to", "de", "--segment", "s"], {"sentence"}),
        (["lsg", "translate", "--kl"], {"--kl-direction"}),
    ],
    ids=lambda value: " ".join(sorted(value) if isinstance(value, set) else value),
)
def test_bash_completes(path, words, offer):
    assert set(complete(path, *words)) == offer


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, file in FILES.items():
        (FOLDER / file).write_text(script(name))
