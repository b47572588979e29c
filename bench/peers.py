"""The servers that are measured: each on a free port of 127.0.0.1, with data of its own, stopped at the end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
import ssl

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "jenkins", "bench-password"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder):
    """A self-signed certificate (P-256, as most are today) for 127.0.0.1."""
    certificate, key = folder / "bench.crt", folder / "bench.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


class Peer:
    """One server. `url` is where it is asked; `secure`: over TLS, with Basic where it knows users."""

    pushes = True
    login = True
    takes_bearer = False  # measured with a bearer token too; or asks nobody for anything

    def __init__(self, name, folder, tls):
        self.name = name
        self.folder = folder / name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        self.tls = tls
        self.port = free_port()
        self.processes = []
        self.start_ms = None

    secure = property(lambda self: self.tls is not None)

    @property
    def url(self):
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"

    @property
    def credentials(self):
        return (USER, PASSWORD) if self.secure and self.login else None

    def htpasswd(self):
        path = self.folder / "htpasswd"
        subprocess.run(["htpasswd", "-B", "-c", "-b", path, USER, PASSWORD], check=True, capture_output=True)
        return path

    def spawn(self, *args, port=None, probe="/", environment=None):
        """Starts a program and waits until it answers; returns the milliseconds it took."""
        with open(self.folder / "log", "ab") as log:
            began = time.monotonic()
            process = subprocess.Popen(
                [str(arg) for arg in args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        self.wait(port or self.port, process, probe)
        return (time.monotonic() - began) * 1000

    def wait(self, port, process, probe):
        scheme = "https" if self.secure and port == self.port else "http"
        context = ssl._create_unverified_context()
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}{probe}", context=context, timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} does not start:\n{(self.folder / 'log').read_text()[-2000:]}")
                time.sleep(0.001)

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Berth(Peer):
    takes_bearer = True

    def start(self):
        config = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}},
            "http": {"addr": f"127.0.0.1:{self.port}"},
            "log": {"accesslog": {"disabled": True}},
        }
        if self.secure:
            config["http"]["tls"] = {"certificate": str(self.tls[0]), "key": str(self.tls[1])}
            config["auth"] = {"htpasswd": {"realm": "bench", "path": str(self.htpasswd())}, "issuer": {}}
            config["policy"] = [
                {"name": "everyone pulls", "subjects": ["authenticated"], "actions": ["pull"]},
                {"name": "CI pushes", "subjects": [f"user:{USER}"], "actions": ["pull", "push", "delete"]},
            ]
        path = self.folder / "config.yml"
        path.write_text(json.dumps(config))
        self.start_ms = self.spawn(ROOT / "build/release/berth", "serve", path, probe="/healthz")


class Registry(Peer):
    """The original, in Debian's version 2.8.2 or as distribution 3; with Apache in front of it, or by itself."""

    def __init__(self, name, folder, tls, program, apache=False):
        super().__init__(name, folder, tls)
        self.program, self.apache = program, apache

    def start(self):
        inner = free_port() if self.apache else self.port
        config = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.folder / "data")},
                "cache": {"blobdescriptor": "inmemory"},
            },
            "http": {"addr": f"127.0.0.1:{inner}", "secret": "bench"},
        }
        if self.secure and not self.apache:
            config["http"]["tls"] = {"certificate": str(self.tls[0]), "key": str(self.tls[1])}
            config["auth"] = {"htpasswd": {"realm": "bench", "path": str(self.htpasswd())}}
        path = self.folder / "config.yml"
        path.write_text(json.dumps(config))
        environment = {"OTEL_TRACES_EXPORTER": "none"}
        self.start_ms = self.spawn(self.program, "serve", path, port=inner, probe="/v2/", environment=environment)
        if self.apache:
            self.start_apache(inner)

    def start_apache(self, inner):
        """The vhost of the host that Berth takes over, with its directives."""
        modules = "/usr/lib/apache2/modules"
        names = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "authz_groupfile",
                 "auth_basic", "access_compat", "headers", "proxy", "proxy_http", "ssl", "socache_shmcb"]  # fmt: skip
        loads = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in names)
        path = self.folder / "apache.conf"
        path.write_text(
            f"""{loads}
ServerRoot {self.folder}
ServerName 127.0.0.1
PidFile {self.folder}/apache.pid
ErrorLog {self.folder}/apache.log
LogLevel warn
Listen 127.0.0.1:{self.port}
<VirtualHost 127.0.0.1:{self.port}>
  SSLEngine on
  SSLCertificateFile {self.tls[0]}
  SSLCertificateKeyFile {self.tls[1]}
  SSLProtocol All -SSLv3
  Header add Strict-Transport-Security "max-age=31536000"
  ProxyRequests Off
  ProxyPreserveHost on
  ProxyPass / http://127.0.0.1:{inner}/
  ProxyPassReverse / http://127.0.0.1:{inner}/
  Header always set Docker-Distribution-Api-Version "registry/2.0"
  RequestHeader set X-Forwarded-Proto "https"
  RequestHeader set Authorization ""
  <Location />
    Order allow,deny
    Allow from all
    AuthType Basic
    AuthName "Docker Registry"
    AuthUserFile {self.htpasswd()}
    AuthGroupFile /dev/null
    Require user {USER}
    <Limit GET HEAD>
      Require valid-user
    </Limit>
  </Location>
</VirtualHost>
"""
        )
        self.spawn("/usr/sbin/apache2", "-f", path, "-D", "FOREGROUND", probe="/v2/")


class Nginx(Peer):
    """The same bytes as files: how fast it can be at all. It knows no users here."""

    pushes = False
    login = False
    takes_bearer = True

    def start(self):
        files = self.folder / "files"
        files.mkdir()
        listen = f"127.0.0.1:{self.port}" + (" ssl" if self.secure else "")
        certificate = f"ssl_certificate {self.tls[0]}; ssl_certificate_key {self.tls[1]};" if self.secure else ""
        path = self.folder / "nginx.conf"
        path.write_text(
            f"""{"user root;" if os.getuid() == 0 else ""}
worker_processes 2;
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=100;
  client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  server {{ listen {listen}; {certificate} root {files}; }}
}}
"""
        )
        self.start_ms = self.spawn("/usr/sbin/nginx", "-c", path, "-p", self.folder)
