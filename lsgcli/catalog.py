"""Which models there are, and which of them a request means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.errors import ModelNotFoundError
from lsgcli.manifest import FILE_NAME, Manifest, Thresholds, load

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Model:
    """A model directory with its manifest, serving one direction."""

    directory: Path
    manifest: Manifest
    source: str  # language codes
    target: str

    @property
    def direction(self) -> str:
        """The direction as the manifest writes it."""
        return f"{self.source}-{self.target}"

    @property
    def policy(self) -> Thresholds:
        """The thresholds for this direction."""
        return self.manifest.policies.get(self.direction, self.manifest.policy)


def embedded() -> dict[str, Path]:
    """Directories of the models that come with the package, by alias."""
    installed = PACKAGE / "embedded"
    checkout = PACKAGE.parent / "models"  # an editable install
    root = installed if installed.is_dir() else checkout
    return {file.parent.name: file.parent for file in sorted(root.glob(f"*/{FILE_NAME}"))}


def find(name: str | None, source: str | None, target: str) -> Model:
    """Find the model called ``name`` (an alias or a directory), or one for the languages.

    Raises ModelNotFoundError, which says what there is, and ManifestError.
    """
    if name is None:
        candidates = list(embedded().values())
    elif Path(name).is_dir():
        candidates = [Path(name)]
    elif name in embedded():
        candidates = [embedded()[name]]
    else:
        raise ModelNotFoundError(
            f"no model {name!r}: it is neither a directory nor one of {_offer()}"
        )
    for directory in candidates:
        manifest = load(directory)
        for direction in manifest.directions:
            of, to = direction.split("-")
            if to == target and source in (None, of):
                return Model(directory, manifest, of, to)
    wanted = f"{source or '*'}-{target}"
    if name is not None:
        has = ", ".join(load(candidates[0]).directions)
        raise ModelNotFoundError(f"model {name!r} does not translate {wanted}; it has {has}")
    raise ModelNotFoundError(
        f"no embedded model translates {wanted}; there is {_offer()}. "
        "Name a model directory of your own with --model DIR"
    )


def _offer() -> str:
    return ", ".join(f"{alias} ({' '.join(has)})" for alias, has in _directions()) or "none"


def _directions() -> Iterator[tuple[str, list[str]]]:
    for alias, directory in embedded().items():
        yield alias, load(directory).directions
