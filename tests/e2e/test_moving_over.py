"""docs/moving-over.md, command by command, on a host with a real docker-registry behind a real Apache.

The guide's paths are mapped into a folder of this test. What only systemd and dpkg can do is done by hand:
test_package.py installs the package and looks at its unit.
"""

import os
import re
import signal
import time

import pytest
from apache import Apache
from docker_daemon import docker_archive, docker_daemon
from guide import check_output, steps_of
from server import BINARY, ROOT, Failed, Server, free_port, run, write_htpasswd

GUIDE = ROOT / "docs/moving-over.md"
REFERENCE = ROOT / "tests/e2e/reference-host"
USERS = {"jenkins": "CI's secret", "alice": "wonder:land"}
NEEDS_SYSTEMD = ("apt install", "systemctl daemon-reload", "systemctl enable", "systemctl disable")


class OldHost(Apache):
    """The host of the guide, whose Apache and registry can be stopped and started again."""

    def stop_programs(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        self.processes = []


class MovedServer(Server):
    """Berth as its unit starts it: by the configuration that the guide has written."""

    def __init__(self, folder, port, config_path, trust, log, environment=None):
        super().__init__(folder, trust=trust, environment=environment)
        self.port, self.config_path, self.log, self.tls = port, config_path, log, True


class Shell:
    """Runs the guide's commands."""

    def __init__(self, folder, host, authority, docker):
        self.host, self.authority, self.docker = host, authority, docker
        self.folder = folder
        self.variables = {}
        self.berth = self.rehearsal = None
        self.other_port = free_port()
        self.paths = {
            "/etc/apache2/sites-enabled/registry.conf": host.site,
            "/etc/docker/registry/config.yml": host.config,
            "/var/lib/docker-registry": host.folder / "images",
            "/usr/share/doc/berth/examples": ROOT / "packaging/systemd/examples",
            "/etc/systemd/system": folder / "systemd",
            "/etc/berth": folder / "etc",
            "/var/lib/berth": folder / "lib",
            "/root": folder / "root",
            "registry.example.com:5443": f"localhost:{self.other_port}",
            ":5443": f"127.0.0.1:{self.other_port}",
            "registry.example.com": f"localhost:{host.port}",
        }
        for name in ("etc", "lib", "root"):
            (folder / name).mkdir()

    def here(self, text):
        names = "|".join(re.escape(name) for name in sorted(self.paths, key=len, reverse=True))
        return re.sub(names, lambda found: str(self.paths[found[0]]), text)

    def run(self, step):
        command = self.here(step.command)
        word = command.split()[0]
        if step.command.startswith(NEEDS_SYSTEMD):
            return ""
        if word == "systemctl":
            return self.systemctl(*command.split()[1:])
        if word == "journalctl":
            return self.journal()
        if word == "export":
            name, value = command.split()[1].split("=")
            self.variables[name] = value
            return ""
        if word == "unset":
            del self.variables[command.split()[1]]
            return ""
        if command.endswith("&"):
            return self.rehearse(command)
        if word == "kill":
            self.rehearsal.stop()
            return ""
        if word == "docker":
            return self.with_docker(command)
        words = [str(BINARY) if word == "berth" else word for word in command.split()]
        try:
            return run(words, env={**os.environ, **self.variables})
        except Failed as failure:
            if any(line.startswith("berth: ") for line in step.shown):  # the guide shows that it fails
                return failure.output
            raise

    def systemctl(self, verb, *units):
        if "berth" in units:
            if verb == "start":
                folder = self.folder / "berth"
                config = self.folder / "etc/config.yml"
                self.berth = MovedServer(folder, self.host.port, config, self.host.trust, self.folder / "journal")
                self.berth.start()
            else:
                self.berth.stop()
        elif verb == "start":
            self.host.start()
        else:
            self.host.stop_programs()
        return ""

    def journal(self):
        """Berth's log, once it has taken everything over."""
        deadline = time.monotonic() + 20
        while "is taken over" not in self.berth.log_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.berth.log_text()

    def rehearse(self, command):
        name, value = command.split()[0].split("=")
        variables = {**self.variables, name: value}
        config = self.folder / "etc/config.yml"
        folder = self.folder / "rehearsal-server"
        self.rehearsal = MovedServer(
            folder, self.other_port, config, self.host.trust, folder / "log", variables
        )
        self.rehearsal.start()
        return ""

    def with_docker(self, command):
        words, _, file = command.partition(" < ")
        user = words.split()[4] if file else None
        return self.docker(*words.split()[1:], **({"input": USERS[user]} if file else {}))

    def end(self):
        for server in (self.rehearsal, self.berth):
            if server and server.process:
                server.kill()


@pytest.fixture
def old_host(authority):
    """The reference host with one image and, as after a crash, one empty link."""
    site = (REFERENCE / "site.conf").read_text()
    certificate, key = authority.issue("moving-over")
    for old, new in {
        "*:443": "*:{port}",
        "http://localhost:5000/": "http://{registry}/",
        "/etc/ssl/certs/registry.crt": str(certificate),
        "/etc/ssl/private/registry.key": str(key),
        "  SSLCertificateChainFile /etc/ssl/certs/registry_chain.crt\n": "",
        "/var/.registrypwd": "{folder}/passwords",
    }.items():
        assert old in site, old
        site = site.replace(old, new)
    config = (REFERENCE / "config.yml").read_text()
    config = config.replace("/var/lib/registry", "{root}").replace("addr: :5000", "addr: '{registry}'")
    config = config[: config.index("redis:")]
    host = OldHost(site, config, authority.trust())
    write_htpasswd(host.folder / "passwords", USERS)
    try:
        host.start()
        yield host
    finally:
        host.stop()


def test_each_command_of_the_guide(old_host, authority, client_of, tmp_path, tmp_path_factory):
    with docker_daemon(tmp_path_factory.mktemp("d"), authority) as socket:
        docker = client_of("docker", prefix=["-H", socket])
        fill(old_host, docker)
        shell = Shell(tmp_path, old_host, authority, docker)
        steps = steps_of(GUIDE.read_text())
        assert len(steps) > 30
        try:
            for step in steps:
                step.shown = [shell.here(line) for line in step.shown]
                check_output(step, shell.run(step))
        finally:
            shell.end()


def fill(host, docker):
    """team/app:1.0, pushed as CI pushes it, and a tag that a crash has left empty."""
    reference = f"localhost:{host.port}/team/app:1.0"
    archive = docker.folder / "image.tar"
    archive.write_bytes(docker_archive(reference, "moving-over"))
    docker("load", "-i", archive)
    docker("login", f"localhost:{host.port}", "--username", "jenkins", "--password-stdin", input=USERS["jenkins"])
    docker("push", reference)
    docker("logout", f"localhost:{host.port}")
    broken = host.folder / "images/docker/registry/v2/repositories/team/app/_manifests/tags/broken/current"
    broken.mkdir(parents=True)
    (broken / "link").touch()
