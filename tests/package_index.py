"""A package index on loopback (PEP 503), wheels for it, and what can go wrong on the way."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

BLOCK = 1 << 14


def make_wheel(package: str, version: str, members: dict[str, bytes]) -> bytes:
    """A wheel without any program in it."""
    name = f"{package.replace('-', '_')}-{version}"
    files = members | {
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\n"
        f"Version: {version}\n".encode(),
        f"{name}.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
        f"{name}.dist-info/RECORD": b"",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            archive.writestr(zipfile.ZipInfo(file), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


class Index:
    """The server; ``slow`` and ``cut`` are changed while it runs."""

    def __init__(self) -> None:
        self.wheels: dict[str, tuple[str, bytes]] = {}  # by package: file name and content
        self.downloads: list[str] = []
        self.slow = 0.0  # seconds for a block
        self.sent = 0  # bytes of wheels
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"index": self})
        )
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    def add(self, package: str, version: str, wheel: bytes) -> dict[str, object]:
        """Offer a wheel; give what a registry says of it."""
        file = f"{package.replace('-', '_')}-{version}-py3-none-any.whl"
        self.wheels[package] = file, wheel
        digest = hashlib.sha256(wheel).hexdigest()
        return {"version": version, "size": len(wheel), "sha256": digest}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    index: Index

    def do_GET(self) -> None:
        path = unquote(self.path)
        page = re.fullmatch(r"/simple/([^/]+)/", path)
        found = self.index.wheels.get(page[1]) if page else None
        if found:
            link = f'<a href="/files/{found[0]}">{found[0]}</a>'
            return self._answer(b"<!DOCTYPE html><html><body>" + link.encode() + b"</body></html>")
        for file, wheel in self.index.wheels.values():
            if path == f"/files/{file}":
                self.index.downloads.append(file)
                return self._answer(wheel, wheel=True)
        return self.send_error(404)

    def _answer(self, data: bytes, *, wheel: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/zip" if wheel else "text/html")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            for start in range(0, len(data), BLOCK):
                self.wfile.write(data[start : start + BLOCK])
                if wheel:
                    self.index.sent += BLOCK
                    time.sleep(self.index.slow)
        except OSError:  # the other end has gone
            pass

    def log_message(self, *arguments: object) -> None:
        pass
