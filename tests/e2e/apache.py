"""What Berth takes the place of: a real Apache in front of a real registry 2.8, for one test."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from server import free_port, run

MODULES = """
    mpm_event authn_core authn_file authz_core authz_user authz_host authz_groupfile access_compat auth_basic
    socache_shmcb ssl headers proxy proxy_http ldap authnz_ldap authz_owner setenvif env
""".split()
MODULE_FOLDER = Path("/usr/lib/apache2/modules")


class Apache:
    """Apache with the text of a site, and the registry that it passes on to, with the text of a config.yml.

    In both texts these are put in: `{port}` (Apache's), `{registry}` (the registry's address), `{root}` (its data) and
    `{folder}` (for password files; others than root may read it). Start it by `with`.
    """

    def __init__(self, site, config, trust=None):
        self.folder = Path(tempfile.mkdtemp(prefix="berth-apache-"))
        self.folder.chmod(0o755)
        self.port, self.registry_port = free_port(), free_port()
        self.trust = trust
        self.tls = trust is not None
        self.values = {
            "{port}": str(self.port),
            "{registry}": f"127.0.0.1:{self.registry_port}",
            "{root}": str(self.folder / "images"),
            "{folder}": str(self.folder),
        }
        self.site = self.folder / "site.conf"
        self.site.write_text(self.fill(site))
        self.config = self.folder / "registry.yml"
        self.config.write_text(self.fill(config))
        self.processes = []

    def fill(self, text):
        for name, value in self.values.items():
            text = text.replace(name, value)
        return text

    def start(self):
        programs = {"docker-registry": "/usr/bin", "apache2": "/usr/sbin"}
        paths = {name: shutil.which(name, path=folder) for name, folder in programs.items()}
        for name, path in paths.items():
            assert path, f"{name} is not installed: scripts/install-test does that"
        main = self.folder / "apache.conf"
        lines = [f"ServerRoot {self.folder}", f"PidFile {self.folder}/pid", f"Listen 127.0.0.1:{self.port}"]
        lines += ["ServerName localhost", "User www-data", "Group www-data", f"ErrorLog {self.folder}/error.log"]
        lines += [f"LoadModule {name}_module {MODULE_FOLDER}/mod_{name}.so" for name in MODULES]
        main.write_text("\n".join([*lines, f"Include {self.site}", ""]))
        environment = {**os.environ, "APACHE_LOG_DIR": str(self.folder)}
        # Secrets in the environment of whoever runs the tests are none of its business.
        environment = {name: value for name, value in environment.items() if not name.startswith("REGISTRY_")}
        for args, name, port in [
            ([paths["docker-registry"], "serve", self.config], "registry.log", self.registry_port),
            ([paths["apache2"], "-f", main, "-DFOREGROUND"], "apache.log", self.port),
        ]:
            self._run(args, self.folder / name, port, environment)
        return self

    def _run(self, args, log, port, environment, seconds=20):
        """Starts a program and waits until it listens."""
        with open(log, "ab") as output:
            options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            process = subprocess.Popen(args, env=environment, **options)
        self.processes.append(process)
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                return
            if process.poll() is not None or time.monotonic() > deadline:
                text = Path(log).read_text()
                self.stop()
                raise AssertionError(f"{args[0]} does not serve:\n{text}")
            time.sleep(0.01)

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        self.processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, timeout=60):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.trust)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def behind(self):
        """The registry itself, past Apache."""
        return Behind(self.registry_port)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Behind:
    def __init__(self, port):
        self.port = port

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)


def migrate(binary, apache, output, report):
    """Runs `berth migrate` on what Apache and the registry run with; returns the configuration's text."""
    environment = {**os.environ, "APACHE_LOG_DIR": str(apache.folder)}
    run([binary, "migrate", "--apache", apache.site, "--registry", apache.config, "--output", output,
         "--report", report], env=environment)  # fmt: skip
    return output.read_text()
