"""``--hotwords`` and ``--prompt``: what stands before all that is said."""

from __future__ import annotations

from pathlib import Path

from lsgcli.errors import UsageError


def prompt(text: str, hotwords: str) -> str:
    """Make a prompt of a text and of hotwords: a file with one a line, or words with commas.

    Raises UsageError if a file is meant and cannot be read.

    >>> prompt("A lecture on printing.", "Gutenberg, William Morris")
    'A lecture on printing. Gutenberg, William Morris.'
    """
    words = [word.strip() for word in _lines(hotwords) if word.strip()]
    return " ".join(
        each for each in (text.strip(), f"{', '.join(words)}." if words else "") if each
    )


def _lines(hotwords: str) -> list[str]:
    file = Path(hotwords)
    try:
        if hotwords and file.is_file():
            return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--hotwords: {file}: {error}") from error
    if file.suffix == ".txt" or "/" in hotwords:
        raise UsageError(f"--hotwords: {file}: no such file")
    return hotwords.split(",")
