"""A real Berth for one test: its configuration, its certificates and users, its start and its end."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("BERTH", ROOT / "build/release/berth"))
USERS = {"jenkins": "CI's secret", "alice": "wonder:land"}

# The rule that started it all: who logs in pulls, only CI pushes and deletes.
POLICY = [
    {"name": "everyone pulls", "subjects": ["authenticated"], "actions": ["pull", "catalog"]},
    {
        "name": "CI pushes",
        "repositories": ["**"],
        "subjects": ["user:jenkins"],
        "actions": ["pull", "push", "delete", "catalog"],
    },
]


def free_port(family=socket.AF_INET):
    with socket.socket(family) as probe:
        probe.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        return probe.getsockname()[1]


def run(args, timeout=120, **options):
    """Runs a program to its end; its output is in the exception when it fails."""
    done = subprocess.run(
        [str(arg) for arg in args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        **{"stdin": subprocess.DEVNULL, **({} if "input" not in options else {"stdin": None}), **options},
    )
    if done.returncode != 0:
        raise Failed(done)
    return done.stdout


class Failed(Exception):
    """A program ended with a code other than 0."""

    def __init__(self, done):
        super().__init__(f"{' '.join(done.args)}\nexit code {done.returncode}\n{done.stdout}")
        self.code = done.returncode
        self.output = done.stdout


class Authority:
    """A certificate authority of its own, made by the openssl program."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / "ca.crt"
        self.key = self.folder / "ca.key"
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Test authority",
            "-keyout", self.key, "-out", self.certificate,
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    @staticmethod
    def _openssl(*args):
        run(["openssl", *args])

    def issue(self, name, key="rsa", issuer=None, ca=False, common_name=None, names=None, days=30):
        """A key and a certificate; returns (crt, key). `issuer` is a pair as returned here.

        `name` is the files' name and the CN, where none is given. `names` are openssl's (`URI:spiffe://a/b`); they
        are this machine's where none are given. With `days` below 0 it has expired.
        """
        certificate, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        kind = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}"]
        self._openssl("req", *kind, "-nodes", "-subj", f"/CN={common_name or name}", "-keyout", secret, "-out", request)
        alternatives = ",".join(["DNS:localhost", "IP:127.0.0.1", "IP:::1"] if names is None else names)
        lines = [f"subjectAltName={alternatives}"] if alternatives else []
        if ca:
            lines = ["basicConstraints=critical,CA:TRUE"]
        extensions.write_text("".join(f"{line}\n" for line in lines))
        issuer_certificate, issuer_key = issuer or (self.certificate, self.key)
        self._openssl(
            "x509", "-req", "-in", request, "-days", days, "-CA", issuer_certificate, "-CAkey", issuer_key,
            "-CAcreateserial", "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        return certificate, secret

    def trust(self):
        return ssl.create_default_context(cafile=str(self.certificate))


def write_htpasswd(path, users=None):
    for number, (name, password) in enumerate((users or USERS).items()):
        run(["htpasswd", "-B", "-C", "5", "-b", *(["-c"] if number == 0 else []), path, name, password])
    return path


def merge(base, changes):
    """`changes` over `base`, maps key by key; a None removes."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


class Server:
    """One berth process on a free port with its data below `folder`. The configuration is JSON, which is YAML too.

    `config` is laid over a plain default; `tls` is a pair (certificate, key). Start it by `with` or start().
    """

    def __init__(self, folder, config=None, tls=None, trust=None, environment=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.trust = trust
        self.environment = environment or {}
        self.log = self.folder / "server.log"
        self.config_path = self.folder / "config.yml"
        base = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self.data)}, "delete": {"enabled": True}},
            "http": {"addr": self.host},
        }
        if tls:
            base["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
        self.tls = tls is not None
        self.config = merge(base, config or {})
        self.write_config()
        self.process = None

    def write_config(self):
        self.config_path.write_text(json.dumps(self.config, indent=2))

    def command(self):
        return [str(BINARY), "serve", str(self.config_path)]

    def spawn(self, **options):
        """Starts the process without waiting for it to serve."""
        output = open(self.log, "ab")  # the child keeps it
        with output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
                **options,
            )
        return self.process

    def start(self, seconds=10):
        self.spawn()
        self.wait_ready(seconds)
        return self

    def wait_ready(self, seconds=10):
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_text()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = self.connect(timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    connection.close()
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer from /healthz in {seconds} s:\n{self.log_text()}")
            time.sleep(0.005)

    def connect(self, timeout=60):
        address, port = "127.0.0.1", self.port
        if self.tls:
            return http.client.HTTPSConnection(address, port, timeout=timeout, context=self.trust)
        return http.client.HTTPConnection(address, port, timeout=timeout)

    def stop(self, seconds=30):
        """SIGTERM, which a healthy server answers with exit code 0."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end {seconds} s after SIGTERM:\n{self.log_text()}") from None
        assert code == 0, f"the server ended with {code}:\n{self.log_text()}"

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def log_text(self, characters=6000):
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def remove_data(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.process is not None:
            self.kill()


def secure_config(folder, policy=True):
    """The parts of a configuration for htpasswd and, with `policy`, the rule."""
    path = write_htpasswd(Path(folder) / "htpasswd")
    config = {"auth": {"htpasswd": {"realm": "Docker Registry", "path": str(path)}}}
    if policy:
        config["policy"] = POLICY
    return config
