"""Models on the Hugging Face Hub: found in its cache, or fetched once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsgcli import catalog
from lsgcli.errors import ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ["config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*"]


def speech_directory(name: str, *, offline: bool, note: Callable[[str], None]) -> Path:
    """Give the directory of a speech model: a path, an embedded one, or one of the Hub's.

    Raises ModelNotFoundError.
    """
    if Path(name).is_dir() or name in catalog.embedded():
        return catalog.directory(name)
    return whisper(name, offline=offline, note=note)


def whisper(name: str, *, offline: bool, note: Callable[[str], None]) -> Path:
    """Give the directory of a Whisper that faster-whisper knows by name, or of any on the Hub.

    ``name``: tiny … large-v3, distil-…, or OWNER/REPOSITORY. What is in the cache is used without
    asking the network; else it is fetched, with a progress bar on standard error, unless
    ``offline`` or ``HF_HUB_OFFLINE`` forbid it. Raises ModelNotFoundError.
    """
    from faster_whisper.utils import _MODELS as KNOWN  # the table is not to be had otherwise

    repository = name if "/" in name else KNOWN.get(name)
    if repository is None:
        raise ModelNotFoundError(
            f"no model {name!r}: it is neither a directory nor OWNER/NAME on the Hugging Face "
            f"Hub nor one of {', '.join(KNOWN)}"
        )
    import huggingface_hub
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    fetch: Any = huggingface_hub.snapshot_download
    try:
        return Path(fetch(repository, allow_patterns=FILES, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise ModelNotFoundError(f"no model {name!r}: {error}") from error
    if offline or os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        raise ModelNotFoundError(
            f"model {name!r} ({repository}) is not in the cache, and the network is not to be used"
        )
    note(f"fetching {repository} from the Hugging Face Hub, once")
    try:
        return Path(fetch(repository, allow_patterns=FILES))
    except Exception as error:  # the library lets those of its HTTP client through
        reason = str(error).strip().split("\n")[0]
        raise ModelNotFoundError(f"cannot fetch {repository}: {reason}") from error
