"""The Hugging Face Hub: what a repository holds, and its files, one by one.

huggingface_hub knows how to speak to it (``HF_ENDPOINT``, ``HF_TOKEN``, proxies, redirects). It
does not check checksums, nor go on with a file after the process has ended, nor end what a Hub
draws out, which is done here. Nothing is asked for but the model: the library's own headers would
ask the Hub for a list of programs first.
"""

from __future__ import annotations

import errno
import io
import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta

from lsgcli import __version__
from lsgcli.errors import HubError, ModelNotFoundError, UsageError
from lsgcli.log import logger
from lsgcli.models.files import git_blob, sha256
from lsgcli.models.pull import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TIMEOUT = 10.0  # seconds without an answer
GLANCE = 3.0  # the same, when it is only looked for
PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds before tries in which nothing came
BUSY = (429, 503)
LONGEST = 500  # characters of what others say
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


class _Lfs(msgspec.Struct):
    size: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class _Sibling(msgspec.Struct, rename={"blob_id": "blobId"}):
    rfilename: str
    size: Annotated[int, Meta(ge=0)] | None = None
    blob_id: Annotated[str, Meta(pattern="^[0-9a-f]{40}$")] | None = None
    lfs: _Lfs | None = None


class _Card(msgspec.Struct):
    license: str | list[str] | None = None


class _Info(msgspec.Struct, rename={"card": "cardData"}):
    """What is needed of the Hub's answer about a repository."""

    sha: Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
    siblings: list[_Sibling]
    card: _Card | None = None


def describe(name: str, revision: str) -> Repository:
    """Ask what a repository holds at a branch, tag or commit; "" is its main branch.

    Raises ModelNotFoundError if there is no such repository or revision, HubError.
    """
    at = endpoint()
    url = f"{at}/api/models/{name}/revision/{quote(revision or 'main', safe='')}?blobs=true"
    slow = f"{at} does not say within {limits.ANSWER:.0f} s what {name} holds; try again later"
    with _understood(name, revision), limits.deadline(limits.ANSWER, HubError(slow)):
        _utils().validate_repo_id(name)
        with _opened(url, {}) as response:
            answer = _read(response)
    return parse(name, answer)


def parse(name: str, answer: bytes) -> Repository:
    """Read the Hub's answer about a repository. Raises HubError if it is not as it should be."""
    try:
        info = msgspec.json.decode(answer, type=_Info)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HubError(
            f"{endpoint()} does not say as it should what {name} holds ({_plain(str(error))}); if "
            "it is a mirror, choose another with HF_ENDPOINT"
        ) from error
    licence = (info.card.license if info.card else None) or ""
    files = [
        RemoteFile(
            name=each.rfilename,
            size=each.lfs.size if each.lfs else each.size or 0,
            sha256=each.lfs.sha256 if each.lfs else None,
            blob=each.blob_id,
        )
        for each in info.siblings
    ]
    return Repository(
        name, info.sha, _plain(licence if isinstance(licence, str) else " ".join(licence)), files
    )


def _read(response: Any) -> bytes:
    """All of an answer. Raises HubError if it is too long."""
    answer = bytearray()
    for block in response.iter_bytes():
        answer += block
        if len(answer) > limits.LARGEST_ANSWER:
            raise HubError(
                f"{endpoint()} says more than {limits.LARGEST_ANSWER >> 20} MB about a repository; "
                "choose another with HF_ENDPOINT"
            )
    return bytes(answer)


@contextmanager
def _opened(url: str, headers: dict[str, str]) -> Iterator[Any]:
    """Ask for a page; give the answer, of which only the head has been read."""
    import huggingface_hub

    utils = _utils()
    token = huggingface_hub.get_token()
    own = {"user-agent": f"lsg/{__version__}", **headers}
    own |= {"authorization": f"Bearer {token}"} if token else {}
    client = utils.get_session()
    with client.stream("GET", url, headers=own, timeout=TIMEOUT, follow_redirects=True) as response:
        utils.hf_raise_for_status(response)
        yield response


def unreachable() -> str:
    """Ask the Hub for nothing, once and shortly; say why it does not answer, "" if it does."""
    utils = _utils()
    try:
        with limits.deadline(2 * GLANCE, HubError(f"no answer within {2 * GLANCE:.0f} s")):
            utils.get_session().head(endpoint(), timeout=GLANCE)
    except Exception as error:  # those of its HTTP client
        return _plain(str(error)) or type(error).__name__
    return ""


def fetch(
    repository: Repository,
    file: RemoteFile,
    to: Path,
    grown: Callable[[int], None],
) -> None:
    """Get a file, going on with what there is of it; ``grown`` is told how much there is.

    What has come stays if the rest does not come. Long waits are logged. Raises HubError.
    """
    with _understood(repository.name, repository.commit), _Limited(to, file, grown) as stream:
        tries = 0
        while (start := stream.tell()) < file.size:
            try:
                _append(repository, file, stream)
                pause = 0.0
            except (OSError, HubError) as error:
                pause = _asked_pause(error)
                if not pause or tries == len(PAUSES):
                    raise
                logger.info(f"{endpoint()} asks to wait {pause:.0f} s")
            except Exception:  # of the connection
                if tries == len(PAUSES) and stream.tell() == start:
                    raise
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
            if stream.tell() >= file.size:
                break
            tries = 0 if stream.tell() > start else tries + 1
            if tries > len(PAUSES):
                raise HubError(f"{file.name} ends before its {file.size} bytes; try again later")
            time.sleep(pause)
        os.fsync(stream.fileno())


def _append(repository: Repository, file: RemoteFile, stream: _Limited) -> None:
    """Get what is missing of a file, as far as the connection goes."""
    import huggingface_hub

    start, at = stream.tell(), endpoint()
    url = huggingface_hub.hf_hub_url(
        repository.name, file.name, revision=repository.commit, endpoint=at
    )
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={start}-"} if start else {})
    pace = limits.Pace(file.name)
    slow = f"{at} does not begin with {file.name} within {limits.ANSWER:.0f} s; try again later"
    with ExitStack() as stack:
        with limits.deadline(limits.ANSWER, HubError(slow)):
            response = stack.enter_context(_opened(url, headers))
        if start and response.status_code != 206:  # it begins anew
            stream.truncate(0)
            stream.seek(0)
        for block in response.iter_raw():
            pace(len(block))
            stream.write(block)


def _asked_pause(error: Exception) -> float:
    """The seconds that the Hub asks to be waited, if it does; 0 if not.

    Raises HubError if they are too many.
    """
    response = getattr(error, "response", None)
    if response is None or response.status_code not in BUSY:
        return 0.0
    asked = response.headers.get("retry-after", "").strip()
    seconds = float(asked) if asked.isdecimal() else 1.0  # a date is not waited for
    if seconds > limits.RETRY_AFTER:
        raise HubError(
            f"{endpoint()} asks to wait {asked[:20]} s, and no more than {limits.RETRY_AFTER:.0f} "
            "are waited; try again then, it goes on where it ended"
        ) from error
    return max(seconds, 1.0)


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
    reason = _plain(str(error)) or type(error).__name__
    return HubError(f"cannot get {name} from {at}: {reason}; try again, it goes on where it ended")


def _plain(text: str) -> str:
    """A line of what somebody else wrote: no control characters, not too long."""
    line = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(line.split())[:LONGEST]
