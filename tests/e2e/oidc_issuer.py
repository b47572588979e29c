"""An OpenID Connect issuer, as a process of its own: four platforms, each with its keys, over TLS on 127.0.0.1.

Below https://127.0.0.1:PORT/PLATFORM: .well-known/openid-configuration and jwks for everybody; for the tests also
POST token (claims that differ from the platform's usual ones; a null removes) and POST rotate ({"keep": how many of
the keys before stay published}). Claims as the platforms document them: GitHub "OpenID Connect reference", GitLab "ID
tokens", Jenkins' oidc-provider plugin, Kubernetes "service account token volume projection".
"""

import http.server
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path

from jose import Key
from server import free_port

AUDIENCE = "registry.example.org"
PLATFORMS = {"github": "rsa", "gitlab": "rsa", "jenkins": "rsa", "kubernetes": "ec"}
COMMIT = "1f2e3d4c5b6a79880717263544536271f0e1d2c3"


def times(lifetime, early=0):
    now = int(time.time())
    return {"iat": now, "nbf": now - early, "exp": now + lifetime}


def github(issuer):
    return {
        "iss": issuer, "aud": AUDIENCE, "jti": str(uuid.uuid4()), **times(300, early=600),
        "sub": "repo:org/app:ref:refs/heads/main", "repository": "org/app", "repository_owner": "org",
        "repository_id": "74", "repository_owner_id": "65", "repository_visibility": "private",
        "ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "true", "sha": COMMIT, "base_ref": "",
        "head_ref": "", "actor": "octocat", "actor_id": "12", "event_name": "push", "workflow": "release",
        "workflow_ref": "org/app/.github/workflows/release.yml@refs/heads/main", "workflow_sha": COMMIT,
        "job_workflow_ref": "org/app/.github/workflows/release.yml@refs/heads/main", "job_workflow_sha": COMMIT,
        "run_id": "1029", "run_number": "10", "run_attempt": "1", "runner_environment": "github-hosted",
    }  # fmt: skip


def gitlab(issuer):
    return {
        "iss": issuer, "aud": AUDIENCE, "jti": str(uuid.uuid4()), **times(3600, early=5),
        "sub": "project_path:group/app:ref_type:branch:ref:main", "namespace_id": "72", "namespace_path": "group",
        "project_id": "20", "project_path": "group/app", "project_visibility": "private", "user_id": "1",
        "user_login": "sample", "user_email": "sample@example.org", "user_access_level": "developer",
        "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}], "pipeline_id": "574",
        "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
        "ref_path": "refs/heads/main", "ref_protected": "true", "groups_direct": ["group"], "runner_id": 1,
        "runner_environment": "self-hosted", "sha": COMMIT, "ci_config_sha": COMMIT,
        "ci_config_ref_uri": "gitlab.example.org/group/app//.gitlab-ci.yml@refs/heads/main",
    }  # fmt: skip


def jenkins(issuer):
    job = "https://jenkins.example.org/job/app/job/main/"
    return {"iss": issuer, "aud": AUDIENCE, **times(3600), "sub": job, "build_number": 42}


def kubernetes(issuer):
    account = {"name": "builder", "uid": str(uuid.uuid4())}
    bound = {"namespace": "ci", "serviceaccount": account, "pod": {"name": "build-0", "uid": str(uuid.uuid4())}}
    return {
        "iss": issuer, "aud": [AUDIENCE, "https://kubernetes.default.svc"], "jti": str(uuid.uuid4()), **times(3600),
        "sub": "system:serviceaccount:ci:builder", "kubernetes.io": {**bound, "warnafter": int(time.time()) + 3607},
    }  # fmt: skip


class Platform:
    def __init__(self, folder, name, kind, base):
        self.folder, self.name, self.kind = folder, name, kind
        self.issuer = f"{base}/{name}"
        self.keys = []
        self.rotate(0)

    def rotate(self, keep):
        key = Key(self.folder / f"{self.name}-{uuid.uuid4()}.pem", self.kind)
        self.keys = [key, *self.keys[:keep]]

    def token(self, changes):
        claims = globals()[self.name](self.issuer) | changes
        return self.keys[0].token({name: value for name, value in claims.items() if value is not None})

    def document(self, path):
        if path == ".well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            }
        if path == "jwks":
            return {"keys": [key.jwk() for key in self.keys]}
        return None


def serve(folder, port, certificate, key):
    base = f"https://127.0.0.1:{port}"
    platforms = {name: Platform(Path(folder), name, kind, base) for name, kind in PLATFORMS.items()}
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, value):
            body = json.dumps(value).encode()
            self.send_response(200 if value is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def find(self):
            _, name, *rest = self.path.split("/", 2)
            return platforms.get(name), "".join(rest)

        def do_GET(self):
            platform, path = self.find()
            with lock:
                self.answer(platform.document(path) if platform else None)

        def do_POST(self):
            platform, path = self.find()
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                if path == "rotate":
                    self.answer(platform.rotate(sent["keep"]) or {})
                else:
                    self.answer({"token": platform.token(sent)})

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


class Issuer:
    """The process, for as long as a `with`; stop() and start() keep its address."""

    def __init__(self, folder, authority):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.pair = authority.issue("oidc-issuer")
        self.ca = authority.certificate
        self.trust = authority.trust()
        self.process = None

    def start(self):
        command = [sys.executable, __file__, self.folder, self.port, *self.pair]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout.readline() == b"ready\n", (self.folder / "log").read_text()
        return self

    def stop(self):
        process, self.process = self.process, None
        if process:
            process.kill()
            process.wait()
            process.stdout.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def url(self, platform):
        return f"https://127.0.0.1:{self.port}/{platform}"

    def provider(self, platform, **more):
        """The entry of `auth.oidc` for it."""
        entry = {"name": platform, "issuer": self.url(platform), "audiences": [AUDIENCE], "ca": str(self.ca)}
        return {**entry, **more}

    def _post(self, platform, path, value):
        request = urllib.request.Request(f"{self.url(platform)}/{path}", json.dumps(value).encode())
        with urllib.request.urlopen(request, context=self.trust, timeout=30) as response:
            return json.load(response)

    def token(self, platform, **changes):
        return self._post(platform, "token", changes)["token"]

    def rotate(self, platform, keep=1):
        self._post(platform, "rotate", {"keep": keep})


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
