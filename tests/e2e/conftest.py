"""What the tests share: one server over TLS with the rule, and the real clients' programs."""

import os
import re
import shutil
from pathlib import Path

import pytest

import server as berth
from server import ROOT, Authority, Failed, Server, run, secure_config
from wire import Wire


def pytest_configure():
    os.environ["PATH"] = os.pathsep.join([str(ROOT / ".tools/bin"), os.environ["PATH"], "/usr/sbin", "/sbin"])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure shows the end of the server's log."""
    report = (yield).get_result()
    if report.failed:
        for value in item.funcargs.values():
            if isinstance(value, Server):
                report.sections.append(("server log", value.log_text(3000)))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def registry(tmp_path_factory, authority):
    """Berth over TLS, with the users jenkins and alice and the rule: everyone pulls, only jenkins pushes."""
    folder = tmp_path_factory.mktemp("registry")
    server = Server(
        folder, secure_config(folder), tls=authority.issue("registry"), trust=authority.trust()
    )
    with server:
        yield server
    server.remove_data()


@pytest.fixture
def plain(tmp_path):
    """Berth over HTTP, open to all, new for each test."""
    with Server(tmp_path / "server") as server:
        yield server


@pytest.fixture
def jenkins(registry):
    wire = Wire(registry, "jenkins", berth.USERS["jenkins"])
    yield wire
    wire.close()


class Client:
    """A real client program with an environment and settings of its own."""

    def __init__(self, program, folder, authority, prefix=()):
        self.program = shutil.which(program)
        assert self.program, f"{program} is not installed: scripts/install-test does that"
        self.folder = Path(folder)
        self.prefix = list(prefix)
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(self.folder),
            "XDG_RUNTIME_DIR": str(home),
            "SSL_CERT_FILE": str(authority.certificate),
        }

    def __call__(self, *args, timeout=180, **options):
        """Runs it; returns what it wrote. Fails with its output."""
        return run(
            [self.program, *self.prefix, *args],
            timeout,
            **{"env": self.environment, "cwd": self.folder, **options},
        )

    def refused(self, *args, saying, **options):
        """It must fail, and its words must match the pattern `saying`."""
        try:
            output = self(*args, **options)
        except Failed as failure:
            assert re.search(saying, failure.output, re.I), f"expected words like {saying!r} in\n{failure}"
            return failure.output
        raise AssertionError(f"{self.program} {args} was not refused:\n{output}")


@pytest.fixture(scope="module")
def client_of(tmp_path_factory, authority):
    """Makes Clients: client_of("crane"), client_of("crane", name="alice")."""

    def make(program, name="jenkins", prefix=()):
        return Client(program, tmp_path_factory.mktemp(f"{program}-{name}"), authority, prefix)

    return make
