"""A real Redis for one test: its start, its end, and what is in it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from server import Failed, free_port, run


class RedisServer:
    """One redis-server that keeps all in memory. `lines` are more of its configuration; start it by `with` or start().

    `tls` is a pair (certificate, key); then it speaks nothing else, and shows and wants certificates of `authority`.
    `login` is what redis-cli needs: --user, --pass, -n.
    """

    def __init__(self, folder, lines=(), tls=None, authority=None, unix=False, login=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = 0 if unix else free_port()
        self.socket = self.folder / "redis.sock" if unix else None
        self.address = f"unix:{self.socket}" if unix else f"127.0.0.1:{self.port}"
        place = [f"unixsocket {self.socket}", "port 0"] if unix else [f"port {self.port}", "bind 127.0.0.1"]
        self.client = ["-s", self.socket] if unix else ["-h", "127.0.0.1", "-p", self.port]
        if tls:
            place = [
                "port 0", "bind 127.0.0.1", f"tls-port {self.port}", f"tls-cert-file {tls[0]}",
                f"tls-key-file {tls[1]}", f"tls-ca-cert-file {authority.certificate}",
            ]  # fmt: skip
            self.client += ["--tls", "--cacert", authority.certificate, "--cert", tls[0], "--key", tls[1]]
        self.client += login
        self.config = self.folder / "redis.conf"
        self.config.write_text("\n".join([*place, 'save ""', "appendonly no", f"dir {self.folder}", *lines, ""]))
        self.log = self.folder / "redis.log"
        self.process = None

    def __call__(self, *words):
        """Asks it; the answer as the lines that redis-cli writes."""
        command = ["redis-cli", "--no-auth-warning", *self.client, *words]
        return run(command, timeout=20, env={"PATH": os.environ["PATH"]}).splitlines()

    def keys(self, pattern="*"):
        return [key for key in self("KEYS", pattern) if key and not key.endswith(":probe")]

    def get(self, key):
        return "\n".join(self("GET", key))

    def info(self, name):
        return next(line.partition(":")[2] for line in self("INFO") if line.startswith(f"{name}:"))

    def start(self, seconds=10):
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed: scripts/install-test does that"
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                [program, str(self.config)], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Failed):
                if self("PING") == ["PONG"]:
                    return self
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)

    def kill(self):
        process, self.process = self.process, None
        if process:
            process.kill()
            process.wait()

    def pause(self):
        """It takes connections and never says anything."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def section(self, **more):
        """As the section `redis` of a configuration, with times that a busy machine keeps."""
        return {"addrs": [self.address], "dialtimeout": "5s", "readtimeout": "5s", "writetimeout": "5s", **more}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


def cached_in(section, **more):
    """The parts of a configuration that keep blob descriptors in Redis."""
    return {"redis": section, "storage": {"cache": {"blobdescriptor": "redis"}}, **more}


def lines_of(server, text):
    """The lines of a server's log with `text` in them."""
    return [line for line in server.log.read_text(errors="replace").splitlines() if text in line]


def wait_for_line(server, text, times=1, seconds=40):
    deadline = time.monotonic() + seconds
    while len(lines_of(server, text)) < times:
        assert time.monotonic() < deadline, f"no line {text!r} in {seconds} s:\n{server.log_text()}"
        time.sleep(0.01)
    return lines_of(server, text)
