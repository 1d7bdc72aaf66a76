"""The Hub's endpoints that huggingface_hub uses, on loopback, and what can go wrong on the way.

What a pull asks for: ``/api/models/REPO/revision/REV?blobs=True``, then ``/REPO/resolve/REV/FILE``,
which for a large file leads elsewhere (here to the same server by another name), with Range.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1 << 20  # bytes from which a file is kept by LFS
BLOCK = 1 << 16


@dataclass
class Repository:
    """What the server has under a name; what it announces may be something else."""

    files: dict[str, bytes]
    commit: str = COMMIT
    revisions: tuple[str, ...] = ("main", "v1")
    token: str = ""  # "": for everybody
    gated: bool = False
    announced: dict[str, bytes] = field(default_factory=dict)  # sizes and checksums of these

    def siblings(self) -> list[dict[str, object]]:
        """The list of files, as the Hub gives it with ``blobs=True``."""
        found: list[dict[str, object]] = []
        for name, data in (self.files | self.announced).items():
            size = len(data)
            blob = hashlib.sha1(f"blob {size}\0".encode() + data).hexdigest()
            entry: dict[str, object] = {"rfilename": name, "size": size, "blobId": blob}
            if size >= LARGE:
                sha = hashlib.sha256(data).hexdigest()
                entry["lfs"] = {"size": size, "sha256": sha, "pointerSize": 134}
            found.append(entry)
        return found


class Hub:
    """The server; ``cut`` and ``slow`` are changed while it runs."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.sent: Counter[str] = Counter()  # bytes, by file
        self.cut: Callable[[str, int], bool] = lambda name, sent: False  # hang up after so many?
        self.slow = 0.0  # seconds for a block
        self.status = 0  # what everything is answered with
        self.hook: Callable[[Handler, str], bool] = lambda handler, path: False  # answers instead
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"hub": self})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, name: str, directory: Path, **extra: bytes) -> Repository:
        """Have a repository with the files of a directory."""
        files = {file.name: file.read_bytes() for file in directory.iterdir() if file.is_file()}
        self.repositories[name] = Repository(files | extra)
        return self.repositories[name]

    def asked(self, part: str, method: str = "GET") -> list[dict[str, str]]:
        """The headers of the requests for paths with that in them."""
        return [headers for how, path, headers in self.requests if part in path and how == method]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class Handler(BaseHTTPRequestHandler):
    """Answers one request after the other."""

    hub: Hub
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:  # the base class calls it so
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append((self.command, path, headers))
        if self.hub.hook(self, path):
            self.close_connection = True
            return None
        if self.hub.status:
            return self._refuse(self.hub.status, "", "as the test wants it")
        found = re.fullmatch(r"/api/models/(.+)/revision/(.+)", path)
        if found:
            return self._info(*found.groups())
        found = re.fullmatch(r"/api/models/(.+)/tree/([^/]+)", path)
        if found:
            return self._tree(*found.groups())
        found = re.fullmatch(r"/(cdn/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if found:
            return self._file(*found.groups())
        return self._refuse(404, "", "no such page")

    def _repository(
        self, name: str, revision: str, *, open_to_all: bool = False
    ) -> Repository | None:
        repository = self.hub.repositories.get(name)
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if repository is None:
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif repository.token and token != repository.token and not open_to_all:
            status = 403 if token else 401
            self._refuse(status, "GatedRepo" if repository.gated else "", "Access is restricted")
        elif revision not in (*repository.revisions, repository.commit):
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return repository
        return None

    def _info(self, name: str, revision: str) -> None:
        if repository := self._repository(name, revision):
            info = {
                "id": name,
                "modelId": name,
                "sha": repository.commit,
                "siblings": repository.siblings(),
                "cardData": {"license": "mit"},
                "private": False,
                "tags": [],
                "downloads": 0,
                "likes": 0,
            }
            self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _tree(self, name: str, revision: str) -> None:
        """The files as huggingface_hub's own downloads ask for them."""
        if repository := self._repository(name, revision):
            entries = [
                {"type": "file", "path": each["rfilename"], "size": each["size"]}
                | {"oid": each["blobId"]}
                for each in repository.siblings()
            ]
            self._send(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})

    def _file(self, cdn: str | None, name: str, revision: str, file: str) -> None:
        repository = self._repository(name, revision, open_to_all=bool(cdn))
        if repository is None:
            return None
        data = repository.files.get(file)
        if data is None:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        large = len(data) >= LARGE
        etag = hashlib.sha256(data).hexdigest() if large else hashlib.sha1(data).hexdigest()
        headers = {
            "ETag": f'"{etag}"',
            "X-Repo-Commit": repository.commit,
            "Accept-Ranges": "bytes",
        }
        if large and not cdn:
            to = f"http://localhost:{self.hub.port}/cdn{self.path}"
            headers |= {
                "X-Linked-Etag": f'"{etag}"',
                "X-Linked-Size": str(len(data)),
                "Location": to,
            }
            return self._send(302, b"", headers)
        start = 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", "")):
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return self._send(206 if start else 200, data[start:], headers, file)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": message})

    def _send(self, status: int, data: bytes, headers: dict[str, str], name: str = "") -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        for n in range(0, len(data), BLOCK):
            if name and self.hub.cut(name, n):
                self.close_connection = True
                return
            try:
                self.wfile.write(data[n : n + BLOCK])
            except OSError:  # the other side has gone
                self.close_connection = True
                return
            self.hub.sent[name] += len(data[n : n + BLOCK])
            time.sleep(self.hub.slow if name else 0)
