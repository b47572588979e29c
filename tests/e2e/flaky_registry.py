"""A registry with a token service that is busy now and then and breaks blobs off: what an import must live with."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token"


class FlakyRegistry:
    """Serves one image as `name:tag` to `user`, who must come with a token. Use it by `with`.

    Every blob breaks off after `piece` bytes, each first question is answered with 503. `ranges`: does it know them?
    What was asked is in `calls`, as (method, path, range).
    """

    def __init__(self, image, name, tag, user, password, piece=2000, ranges=True):
        self.image, self.name, self.tag = image, name, tag
        self.basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.piece, self.ranges = piece, ranges
        self.calls, self.scopes, self.asked = [], set(), set()
        self.broken = {}  # how often each blob was broken off
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, call):
        parts = urlsplit(call.path)
        self.calls.append((call.command, parts.path, call.headers.get("Range")))
        if parts.path == "/token":
            return self.give_token(call, parse_qs(parts.query))
        if call.headers.get("Authorization") != f"Bearer {TOKEN}":
            challenge = f'Bearer realm="http://{self.host}/token",service="flaky"'
            return self.send(call, 401, b"{}", {"WWW-Authenticate": challenge})
        if call.path not in self.asked:
            self.asked.add(call.path)
            return self.send(call, 503, b"{}", {"Retry-After": "0"})
        if parts.path == "/v2/_catalog":
            return self.send(call, 200, json.dumps({"repositories": [self.name]}).encode())
        base = f"/v2/{self.name}/"
        if parts.path == base + "tags/list":
            return self.send(call, 200, json.dumps({"name": self.name, "tags": [self.tag]}).encode())
        if parts.path in (f"{base}manifests/{self.tag}", f"{base}manifests/{self.image.digest}"):
            kind = json.loads(self.image.manifest)["mediaType"]
            return self.send(call, 200, self.image.manifest, {"Content-Type": kind})
        blob = self.image.blobs.get(parts.path.removeprefix(base + "blobs/"))
        return self.send(call, 404, b"{}") if blob is None else self.send_blob(call, parts.path, blob)

    def give_token(self, call, query):
        if call.headers.get("Authorization") != self.basic:
            return self.send(call, 401, b"{}")
        self.scopes.update(query.get("scope", []))
        return self.send(call, 200, json.dumps({"token": TOKEN}).encode())

    def send(self, call, status, body, fields=None):
        call.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(fields or {})}.items():
            call.send_header(name, value)
        call.end_headers()
        if call.command != "HEAD":
            call.wfile.write(body)

    def send_blob(self, call, path, blob):
        start = 0
        if self.ranges and call.headers.get("Range"):
            start = int(call.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        rest = blob[start:]
        # Without ranges every answer begins at the start, so it must get on from one to the next.
        self.broken[path] = self.broken.get(path, 0) + 1
        allowed = self.piece if self.ranges else self.piece * self.broken[path]
        call.send_response(206 if start else 200)
        call.send_header("Content-Length", str(len(rest)))
        if start:
            call.send_header("Content-Range", f"bytes {start}-{len(blob) - 1}/{len(blob)}")
        call.end_headers()
        call.wfile.write(rest[:allowed])
        if len(rest) > allowed:
            call.close_connection = True
