"""Certificates by ACME: a real client beside Berth gets and renews them from a real ACME server, and Berth takes them
up by itself."""

import json
import os
import ssl
import subprocess
import time
import urllib.request

import pytest
from server import Server, free_port, run
from test_tls import Caller, eventually, shown_by

NAME = "registry.example.org"


class Acme:
    """pebble, Let's Encrypt's small server for tests, with a DNS server that knows every name as this machine."""

    def __init__(self, folder, authority):
        self.folder = folder
        self.authority = authority
        self.port, self.management, self.dns = free_port(), free_port(), free_port()
        self.challenges = {"http": free_port(), "tls": free_port()}
        certificate, key = authority.issue("pebble")
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": self.challenges["http"],
            "tlsPort": self.challenges["tls"],
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        self.processes = []

    def spawn(self, *command):
        with open(self.folder / "acme.log", "ab") as log:
            environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
            process = subprocess.Popen(
                [str(word) for word in command], stdout=log, stderr=log, env=environment
            )
        self.processes.append(process)

    def __enter__(self):
        self.spawn(
            "pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.dns}", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
            "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{free_port()}",
        )  # fmt: skip
        self.spawn("pebble", "-config", self.folder / "pebble.json", "-dnsserver", f"127.0.0.1:{self.dns}")
        eventually(self.serves, 30)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.wait(30)

    def ask(self, port, path):
        with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", context=self.authority.trust()) as answer:
            return answer.read().decode()

    def serves(self):
        assert all(process.poll() is None for process in self.processes), (self.folder / "acme.log").read_text()
        try:
            return "newOrder" in self.ask(self.port, "/dir")
        except OSError:
            time.sleep(0.05)
            return False

    def lego(self, challenge, command, *options):
        """lego answers the challenge by itself, on a port of its own."""
        run(
            [
                "lego", "--server", f"https://127.0.0.1:{self.port}/dir", "--accept-tos", "--email", "a@example.org",
                "--domains", NAME, "--path", self.folder / "lego", f"--{challenge}",
                f"--{challenge}.port", f"127.0.0.1:{self.challenges[challenge]}", command, *options,
            ],
            env={**os.environ, "LEGO_CA_CERTIFICATES": str(self.authority.certificate)},
        )  # fmt: skip

    def pair(self):
        folder = self.folder / "lego/certificates"
        return folder / f"{NAME}.crt", folder / f"{NAME}.key"

    def trust(self):
        """Whoever trusts pebble's root, and asks for NAME at 127.0.0.1."""
        context = ssl.create_default_context(cadata=self.ask(self.management, "/roots/0"))
        context.check_hostname = False
        return context


@pytest.mark.parametrize("challenge", ["http", "tls"])
def test_a_certificate_is_renewed_by_acme_without_a_restart(tmp_path, authority, challenge):
    with Acme(tmp_path, authority) as acme:
        acme.lego(challenge, "run")
        with Server(tmp_path / "server", tls=acme.pair(), trust=acme.trust()) as server:
            first = shown_by(server)
            caller = Caller(server)
            caller.start()
            try:
                acme.lego(challenge, "renew", "--days", "10000", "--no-random-sleep")
                eventually(lambda: shown_by(server) != first)
            finally:
                caller.end()
            renewed = ssl.PEM_cert_to_DER_cert(acme.pair()[0].read_text().split("\n\n")[0] + "\n")
            assert shown_by(server) == renewed
            assert caller.failure is None
            assert caller.answers > 0
