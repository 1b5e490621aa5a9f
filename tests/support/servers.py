"""A web server on 127.0.0.1 that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """How the server answers; change it between requests as a test needs.

    ``cut_after`` bytes of a body, the connection is closed. ``statuses`` are answered first, one
    a request. ``says_length`` off leaves out Content-Length. ``stall`` sends headers, then nothing.
    """

    body: bytes
    ranges: bool = True
    cut_after: int | None = None
    statuses: list[int] = field(default_factory=list)
    says_length: bool = True
    content_range: str | None = None
    stall: bool = False
    requests: list[str | None] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Generator[str]:
    """Serve ``behaviour`` and yield the address of its one file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            behaviour.requests.append(wanted)
            if behaviour.statuses:
                self.send_error(behaviour.statuses.pop(0))
                return
            start = 0
            if wanted and behaviour.ranges:
                found = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert found
                start = int(found[1])
                if start >= len(behaviour.body):
                    self.send_error(416)
                    return
            whole = len(behaviour.body)
            self.send_response(206 if start else 200)
            if start:
                said = behaviour.content_range or f"bytes {start}-{whole - 1}/{whole}"
                self.send_header("Content-Range", said)
            if behaviour.says_length:
                self.send_header("Content-Length", str(whole - start))
            self.end_headers()
            if behaviour.stall:
                behaviour.release.wait(30)
                return
            body = behaviour.body[start:]
            self.wfile.write(body[: behaviour.cut_after])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/file.bin"
    finally:
        behaviour.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
