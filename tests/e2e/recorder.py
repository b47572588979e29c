"""Stands between a client and a registry and writes down every call: what was asked and what was answered."""

import http.client
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

# The fields that a client may go by. Date, Server and the like are nobody's business.
RELEVANT = """
    Accept-Ranges Allow Cache-Control Content-Encoding Content-Length Content-Range Content-Type
    Docker-Content-Digest Docker-Distribution-Api-Version Docker-Upload-Uuid Etag Link Location
    OCI-Filters-Applied OCI-Subject OCI-Tag Range Retry-After Vary Warning WWW-Authenticate
    X-Content-Type-Options
""".split()
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date", "server"}


class Recorder:
    """Listens on a port of its own and passes all on to `port`. By `with`; then host is what clients are given.

    calls: {"METHOD path": {(status, ((field, value), …)), …}}: what each call was ever answered. Upload ids and
    the host are made alike, and the state that registry:2 carries in an upload's URL is left out.
    """

    def __init__(self, port):
        self.target = port
        self.calls = defaultdict(set)
        self.lock = threading.Lock()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                recorder.pass_on(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = pass_on

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def pass_on(self, handler):
        body = self.read_body(handler)
        upstream = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        upstream.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            if name.lower() not in HOP_BY_HOP:
                upstream.putheader(name, value)
        if body or "Content-Length" in handler.headers:
            upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body)
        response = upstream.getresponse()
        try:
            answer = response.read()
        except http.client.IncompleteRead as short:  # registry:2 after a range that does not fit
            answer = short.partial
        self.note(handler, response)
        handler.send_response_only(response.status, response.reason)
        for name, value in response.headers.items():
            if name.lower() not in HOP_BY_HOP:
                handler.send_header(name, value)
        length = response.headers.get("Content-Length") if handler.command == "HEAD" else str(len(answer))
        if length is not None:
            handler.send_header("Content-Length", length)
        handler.end_headers()
        handler.wfile.write(answer)
        upstream.close()

    @staticmethod
    def read_body(handler):
        if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        body = b""
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            body += handler.rfile.read(size)
            handler.rfile.readline()
        while handler.rfile.readline().strip():
            pass
        return body

    def note(self, handler, response):
        fields = {}
        for name in RELEVANT:
            if (value := response.headers.get(name)) is not None:
                fields[name] = self.plain(value)
        if response.status >= 400 or response.status == 204:
            fields.pop("Content-Length", None)  # of a message for people, or of nothing
        with self.lock:
            key = f"{handler.command} {self.plain(handler.path)}"
            self.calls[key].add((response.status, tuple(sorted(fields.items()))))

    def plain(self, text):
        text = UUID.sub("{uuid}", text).replace(self.host, "{host}").replace(quote(self.host), "{host}")
        return re.sub(r"\?_state=[^&]*(&|$)", lambda found: "?" if found[1] else "", text)
