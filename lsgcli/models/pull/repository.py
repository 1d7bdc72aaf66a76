"""The Hugging Face Hub: what a repository holds, and its files, one by one.

This is the only module that speaks to the network. huggingface_hub knows how (``HF_ENDPOINT``,
``HF_TOKEN``, proxies, time-outs, redirects, Range requests); it does not check checksums, nor go on
with a file after the process has ended, which is done here.
"""

from __future__ import annotations

import errno
import io
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsgcli.errors import HubError, ModelNotFoundError, UsageError
from lsgcli.models.files import CHUNK, git_blob, is_plain, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TIMEOUT = 10.0  # seconds without an answer
GLANCE = 3.0  # the same, when it is only looked for
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository; large ones are known by a sha256, others by git's name for them."""

    name: str
    size: int
    sha256: str | None
    blob: str | None

    def is_copy(self, file: Path) -> bool:
        """Whether a file here has its content. Raises OSError."""
        if file.stat().st_size != self.size:
            return False
        return sha256(file) == self.sha256 if self.sha256 else git_blob(file) == self.blob


@dataclass(frozen=True)
class Repository:
    """A repository at one commit."""

    name: str
    commit: str
    licence: str
    files: list[RemoteFile]


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def endpoint() -> str:
    """The Hub's address."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def describe(name: str, revision: str) -> Repository:
    """Ask what a repository holds at a branch, tag or commit; "" is its main branch.

    Raises ModelNotFoundError if there is no such repository or revision, HubError.
    """
    with _understood(name, revision):
        from huggingface_hub import HfApi

        info = HfApi(endpoint=endpoint()).model_info(
            name, revision=revision or "main", files_metadata=True, timeout=TIMEOUT
        )
    licence = getattr(info.card_data, "license", None) or ""
    files = [
        RemoteFile(
            name=each.rfilename,
            size=each.lfs.size if each.lfs else each.size or 0,
            sha256=each.lfs.sha256 if each.lfs else None,
            blob=each.blob_id,
        )
        for each in info.siblings or []
    ]
    if not info.sha or not is_plain(info.sha):
        raise HubError(f"{endpoint()} does not tell the commit of {name}")
    return Repository(name, info.sha, " ".join(str(licence).split()), files)


def unreachable() -> str:
    """Ask the Hub for nothing, once and shortly; say why it does not answer, "" if it does."""
    utils = _utils()
    try:
        utils.get_session().head(endpoint(), timeout=GLANCE)
    except Exception as error:  # those of its HTTP client
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def fetch(repository: Repository, file: RemoteFile, to: Path, grown: Callable[[int], None]) -> None:
    """Get a file, going on with what there is of it; ``grown`` is told how much there is.

    What has come stays if the rest does not come. Raises HubError.
    """
    with _understood(repository.name, repository.commit):
        import huggingface_hub
        from huggingface_hub import constants
        from huggingface_hub.file_download import http_get

        utils = _utils()
        utils.disable_progress_bars()  # there is one of our own
        utils.logging.set_verbosity_error()
        constants.DOWNLOAD_CHUNK_SIZE = CHUNK  # of 10 MB, a cut would cost the last that came
        url = huggingface_hub.hf_hub_url(
            repository.name, file.name, revision=repository.commit, endpoint=endpoint()
        )
        headers = {**utils.build_hf_headers(), "accept-encoding": "identity"}
        with _Limited(to, file, grown) as stream:
            while (start := stream.tell()) < file.size:
                try:
                    http_get(
                        url,
                        stream,
                        resume_size=start,
                        headers=headers,
                        expected_size=file.size,
                    )
                except OSError:  # of the system, or an answer of the Hub's
                    raise
                except Exception:  # of the connection; not the end if something came through it
                    if stream.tell() == start:
                        raise
            os.fsync(stream.fileno())


def _utils() -> Any:
    """The library's utilities, which it does not declare as its own."""
    from huggingface_hub import utils

    return utils


class _Limited(io.FileIO):
    """A file that goes on where it ends, tells its growth, and takes no more than was announced."""

    def __init__(self, path: Path, file: RemoteFile, grown: Callable[[int], None]) -> None:
        super().__init__(path, "a+")
        self._file = file
        self._grown = grown
        if self.seek(0, os.SEEK_END) > file.size:
            self.truncate(0)
            self.seek(0)

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        if self.tell() + len(view) > self._file.size:
            raise HubError(f"{self._file.name}: more than the announced {self._file.size} bytes")
        written = 0
        while written < len(view):
            written += super().write(view[written:]) or 0
        self._grown(self.tell())
        return written


@contextmanager
def _understood(name: str, revision: str) -> Iterator[None]:
    """Turn what the library raises into one line that says what to do."""
    try:
        yield
    except HubError:
        raise
    except Exception as error:  # of the library, of its HTTP client, of the system
        raise _explained(error, name, revision) from error


def _explained(error: Exception, name: str, revision: str) -> Exception:
    from huggingface_hub import errors as hub

    at = endpoint()
    status = error.response.status_code if isinstance(error, hub.HfHubHTTPError) else 0
    if isinstance(error, hub.HFValidationError):
        return UsageError(f"{name!r} is not OWNER/NAME, as repositories on the Hub are called")
    if isinstance(error, hub.GatedRepoError):
        return HubError(
            f"{name} is gated: ask for access at {at}/{name}, then set HF_TOKEN to a token of "
            f"yours from {at}/settings/tokens"
        )
    if isinstance(error, hub.RevisionNotFoundError):
        return ModelNotFoundError(f"{name} has no revision {revision!r}; see {at}/{name}/commits")
    if status in (401, 403):
        return HubError(
            f"{at} does not give {name} ({status}): it may not exist, or be private or gated; look "
            f"at {at}/{name}, and set HF_TOKEN to a token of yours from {at}/settings/tokens"
        )
    if isinstance(error, hub.RepositoryNotFoundError) or status == 404:
        return ModelNotFoundError(
            f"no {name} at {at}; if it is private, set HF_TOKEN to a token of yours from "
            f"{at}/settings/tokens"
        )
    if isinstance(error, OSError) and error.errno in FULL:
        return HubError(f"{name}: {error.strerror} while writing; make room and pull again")
    if isinstance(error, OSError) and error.errno and error.filename:
        return HubError(f"{error.filename}: {error.strerror}")
    reason = " ".join(str(error).split()) or type(error).__name__
    return HubError(f"cannot get {name} from {at}: {reason}; try again, it goes on where it ended")
