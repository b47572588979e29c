"""What Berth takes over: a real registry:2 on a folder, Debian's docker-registry 2.8 or distribution 3."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from server import ROOT, free_port, merge


class Registry2:
    """Debian's docker-registry 2.8.2 on the root `root`, which stays when it ends. Start it by `with` or start().

    `config` is laid over a plain default with deletes. Also stands in for a Server where a Wire is made.
    """

    PROGRAM = "/usr/bin/docker-registry"

    def __init__(self, folder, root=None, config=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root = Path(root) if root else self.folder / "root"
        self.root.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.log = self.folder / "registry.log"
        self.config_path = self.folder / "registry.yml"
        base = {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(self.root)}, "delete": {"enabled": True}},
            "http": {"addr": self.host},
        }
        self.config_path.write_text(json.dumps(merge(base, config or {})))
        self.process = None

    def environment(self):
        """Secrets in the environment of whoever runs the tests are none of its business."""
        return {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "OTEL_"))}

    def start(self, seconds=20):
        assert shutil.which(self.PROGRAM), f"{self.PROGRAM} is not installed: scripts/install-test does that"
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                [self.PROGRAM, "serve", str(self.config_path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment(),
            )
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = self.connect(timeout=5)
                connection.request("GET", "/v2/")
                status = connection.getresponse().status
                connection.close()
                if status in (200, 401):
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self.PROGRAM} does not serve:\n{self.log_text()}")
            time.sleep(0.01)

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def stop(self, seconds=30):
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self):
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def collect_garbage(self, *options):
        """The original's own garbage-collect, while it does not run; returns what it wrote."""
        done = subprocess.run(
            [self.PROGRAM, "garbage-collect", *options, str(self.config_path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(),
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def log_text(self, characters=6000):
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Distribution3(Registry2):
    """The same of distribution 3."""

    PROGRAM = str(ROOT / ".tools/bin/registry")

    def environment(self):
        # It sends traces to a collector unless it is told not to.
        return {**super().environment(), "OTEL_TRACES_EXPORTER": "none"}


ORIGINALS = [Registry2, Distribution3]
