"""Whether CTranslate2 loads a model and makes a pass, tried in a process of its own.

The loader is not built for hostile files: it may be killed by one, and must not take us with it.
``python -m lsgcli.backends.probe DIR`` is that process.
"""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
from pathlib import Path

from lsgcli.errors import ModelError
from lsgcli.models.files import WEIGHTS

DECODER, WHISPER = "TransformerDecoderSpec", "WhisperSpec"
TRANSLATORS = ("TransformerSpec", "TransformerBase", "TransformerBig")  # the last two: before 3.0
LONGEST = 64  # characters of such a name


def probe(directory: Path) -> None:
    """Load a model and make one pass, elsewhere. Raises ModelError."""
    done = subprocess.run(
        [sys.executable, "-m", "lsgcli.backends.probe", str(directory.resolve())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ModelError(f"{directory}: CTranslate2 crashed over it ({name}); get it again")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"{directory}: CTranslate2 does not load it: {reason}")


def specification(directory: Path) -> str:
    """What CTranslate2 calls the architecture of the weights. Raises ModelError, OSError."""
    with (directory / WEIGHTS).open("rb") as file:
        head = file.read(6)
        try:
            version, length = struct.unpack("<IH", head)
            name = file.read(length)[: length - 1].decode("ascii") if length < LONGEST else ""
        except (struct.error, UnicodeDecodeError):
            version, name = 0, ""
    if version < 2 or not name.isidentifier():
        raise ModelError(f"{directory / WEIGHTS}: not in CTranslate2's form")
    return name


def _pass(directory: Path) -> None:
    """Load the model and make a pass."""
    import ctranslate2
    import numpy as np

    name = specification(directory)
    if name == DECODER:
        ctranslate2.Generator(str(directory), intra_threads=1).forward_batch([[0, 1]])
    elif name in TRANSLATORS:
        translator = ctranslate2.Translator(str(directory), intra_threads=1)
        translator.translate_batch([["</s>"]], max_decoding_length=2)
    elif name == WHISPER:
        whisper = ctranslate2.models.Whisper(str(directory), intra_threads=1)
        silence = np.zeros((1, whisper.n_mels, 3000), np.float32)
        whisper.encode(ctranslate2.StorageView.from_array(silence))
    else:
        raise ModelError(f"{name}: lsg has no use for such models")


if __name__ == "__main__":
    try:
        _pass(Path(sys.argv[1]))
    except Exception as error:  # its last line is what the other process tells
        sys.exit(" ".join(str(error).split()))
