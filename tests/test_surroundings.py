"""Closed and full descriptors, a directory that is gone, little memory: one line, a right code."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from pathlib import Path

import pytest
from conftest import LSG, environment

TO = ("translate", "--to", "de")
SOURCE = b"The house is small.\n\xff\n"
TRANSLATION = "Das Haus ist klein.\n\ufffd\n".encode()
QUIET = (  # commands that print something
    ("--version",),
    ("--help",),
    ("translate", "--help"),
    ("translate", "--to", "de", "--help-protect"),
    ("asr", "--help"),
    ("eval", "--help"),
    ("models",),
    ("models", "list", "--json"),
    ("models", "path", "en-de"),
    ("models", "info", "en-de"),
    ("models", "check", "digits-en"),
    ("models", "prefer"),
    ("doctor", "--offline"),
)
COMMANDS = pytest.mark.parametrize("arguments", [*QUIET, TO], ids=" ".join)


def run(redirections: str, *arguments: str, before: str = "", stdin: bytes = SOURCE):
    """Run ``lsg`` in a shell; give its exit code, and what it wrote."""
    command = f"{before}\n{' '.join(LSG)} {' '.join(arguments)} {redirections}"
    done = subprocess.run(
        ["bash", "-c", command],
        input=stdin,
        capture_output=True,
        env=environment(PYTHONPATH=str(Path(__file__).parents[1])),
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def is_one_line(text: str) -> bool:
    return re.fullmatch(r"lsg: error: (?!internal).*\n", text) is not None


@COMMANDS
def test_a_closed_standard_output_is_an_error(arguments):
    code, _, err = run(">&-", *arguments, stdin=b"a=1\n")
    assert code == 1
    assert is_one_line(err)


@COMMANDS
def test_a_closed_standard_error_changes_nothing(arguments):
    code, out, _ = run("2>&-", *arguments)
    assert code == 0
    assert out == TRANSLATION if arguments == TO else out


@COMMANDS
def test_all_are_closed(arguments):
    assert run("<&- >&- 2>&-", *arguments)[0] == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("options", ["", "--stats", "--explain", "--explain --pace 0"])
def test_a_full_standard_error_changes_nothing(options):
    code, out, _ = run("2>/dev/full", *TO, options)
    assert (code, out) == (0, TRANSLATION)


def test_a_directory_that_is_gone(tmp_path):
    gone = f"mkdir {tmp_path}/d; cd {tmp_path}/d; rmdir {tmp_path}/d"
    for arguments in (TO, ("asr", "--raw", "s16le"), ("doctor", "--offline")):
        code, out, err = run("", *arguments, before=gone)
        assert (code, out) == (2, b"")
        assert "working directory" in err
        assert is_one_line(err)
    assert run("", "--version", before=gone)[0] == 0


@pytest.mark.parametrize("megabytes", [150, 200, 300, 350, 400, 450, 500, 550, 580])
def test_little_memory_is_told(megabytes):
    """Libraries would end the process, in ever other ways."""
    code, out, err = run("", *TO, "--threads", "1", before=f"ulimit -v {megabytes << 10} -c 0")
    assert (code, out) == (1, b"")
    assert "out of memory" in err
    assert is_one_line(err)


def test_what_is_needed_suffices():
    _, _, err = run("", *TO, "--threads", "2", before=f"ulimit -v {600 << 10}")
    needed = re.search(r"needs (\d+)", err)
    assert needed
    kilobytes = (int(needed[1]) + 1) << 10
    code, out, _ = run("", *TO, "--threads", "2", before=f"ulimit -v {kilobytes}")
    assert (code, out) == (0, TRANSLATION)


MEMORY = 900 << 20  # bytes of address space, for any length of input


@pytest.mark.parametrize(
    "pattern", ["a", "12 7 ", "n=1\n", "\n", "<b>", '{"a":', "\x1b]0;a", "日本。"]
)
def test_memory_is_bounded_whatever_the_input(pattern):
    """Forty megabytes, or as much of it as is read until a hundred kilobytes have come out."""
    unit = pattern.removesuffix("\n")
    join = "" if pattern != unit else "| tr -d '\\n'"
    command = f"yes '{unit}' {join} | head -c 39999996 | {' '.join(LSG)} {' '.join(TO)} --threads 1"
    with subprocess.Popen(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    ) as process:
        assert process.stdout
        assert process.stderr
        taken = 0
        while taken < 100_000 and (data := os.read(process.stdout.fileno(), 65536)):
            taken += len(data)
        process.stdout.close()
        err = process.stderr.read().decode()
    assert process.returncode == 0
    assert re.fullmatch("(lsg: warning: more than 100 characters without a space .*\n)?", err)
    assert taken >= 100_000


@pytest.mark.parametrize(
    ("pattern", "code"),
    [("(a+)+c", 1), ("a{99999999999}", 2), ("(" * 5000 + ")" * 5000, 2), ("()" * 5000, 0)],
    ids=["backtracking", "a huge number", "nested", "many groups"],
)
def test_patterns_of_the_user_cannot_hang(pattern, code):
    word = "a" * 40 + "b\n"
    found, out, err = run("", *TO, f"--protect-regex '{pattern}'", stdin=word.encode())
    assert found == code
    assert out.count(b"\n") == (code == 0)
    assert err == "" if code == 0 else is_one_line(err) and "--protect-regex" in err
