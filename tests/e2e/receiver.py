"""A receiver of notifications: a real HTTP server that a test can kill, slow down and make refuse."""

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from server import free_port


class Receiver:
    """Listens on a port that stays its own, from `with` or start() on; stop() is as if it were killed.

    status and delay say how it answers. What it answered 2xx or 3xx is in `events`, in order; each request, also
    those that failed, in `requests` as (headers, events).
    """

    def __init__(self, path="/hook"):
        self.port = free_port()
        self.path = path
        self.url = f"http://127.0.0.1:{self.port}{path}"
        self.status = 200
        self.delay = 0
        self.events = []
        self.requests = []
        self.changed = threading.Condition()
        self.server = None

    def start(self):
        if self.server:
            return self
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept

            def do_POST(self):
                receiver.take(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            connections = set()

            def process_request(self, request, client_address):
                self.connections.add(request)
                super().process_request(request, client_address)

            def shutdown_request(self, request):
                self.connections.discard(request)
                super().shutdown_request(request)

            def handle_error(self, request, client_address):
                pass  # the other end is killed, too

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        server, self.server = self.server, None
        if server:
            server.shutdown()
            server.server_close()
            self.thread.join()
            for connection in list(server.connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        events = json.loads(body)["events"]
        time.sleep(self.delay)  # what it is for: a slow receiver
        with self.changed:
            status = self.status
            self.requests.append((dict(handler.headers), events))
            if 200 <= status < 400:
                self.events += events
            self.changed.notify_all()
        handler.send_response(status)
        if 300 <= status < 400:
            handler.send_header("Location", f"http://127.0.0.1:{self.port}/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def wait(self, condition, seconds=60):
        """Until condition(self), asked after each request."""
        with self.changed:
            met = self.changed.wait_for(lambda: condition(self), seconds)
        assert met, f"not in {seconds} s: {len(self.events)} events in {len(self.requests)} requests"

    def wait_count(self, count, seconds=60):
        self.wait(lambda receiver: len(receiver.distinct()) >= count, seconds)
        return self.distinct()

    def distinct(self):
        """Each event once, where it came first."""
        with self.changed:
            return list({event["id"]: event for event in reversed(self.events)}.values())[::-1]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def endpoint(receiver, name="hook", **more):
    return {"name": name, "url": receiver.url, "timeout": "2s", "threshold": 3, "backoff": "50ms", **more}
