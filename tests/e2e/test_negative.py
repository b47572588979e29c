"""Nothing of what is forged, old, or said in a strange way gets in: over 300 credentials and paths, each by name."""

import json
import socket

import pytest
from images import Image, sha256
from jose import Key, claims_of
from negative import METHODS, NOW, access_tokens, basic, bearer, bearer_tokens, passwords, paths
from oidc_issuer import Issuer
from server import BINARY, USERS, Server, merge, run, secure_config
from wire import Wire

MARKER = b"what-nobody-else-may-see-7d1c"
SERVICE = "registry.test"
RULES = [
    {"name": "people pull", "subjects": ["authenticated"], "repositories": ["team/**"], "actions": ["pull"]},
    {
        "name": "jobs pull",
        "subjects": ["oidc:github repo=org/app", "robot:ci"],
        "repositories": ["team/**"],
        "actions": ["pull"],
    },
    {"name": "CI pushes", "subjects": ["user:jenkins"], "actions": ["pull", "push", "delete", "catalog"]},
]


class World:
    """A Berth with everything on, something private in it, and all that is good for getting at it."""

    def __init__(self, folder, authority, issuer):
        config = merge(
            secure_config(folder),
            {
                "policy": RULES,
                "auth": {
                    # A refusal unheard would prove nothing.
                    "throttle": {"failures": 100000, "addressfailures": 100000},
                    "tokens": {"path": str(folder / "tokens")},
                    "issuer": {"service": SERVICE, "keys": str(folder / "keys")},
                    "oidc": [issuer.provider("github")],
                },
            },
        )
        self.folder, self.issuer = folder, issuer
        self.server = Server(folder / "server", config, tls=authority.issue("negative"), trust=authority.trust())
        self.access = {
            "ci": self.create("--robot", "ci")["secret"],
            "alice": self.create("--user", "alice")["secret"],
        }
        self.dead = {"revoked": ("ci", self.revoked()), "expired": ("ci", self.expired())}

    def command(self, *args):
        return run([BINARY, "token", *args, "--config", self.server.config_path])

    def create(self, *options):
        return json.loads(self.command("create", *options, "--json"))

    def revoked(self):
        made = self.create("--robot", "ci")
        self.command("revoke", made["id"])
        return made["secret"]

    def expired(self):
        """Nobody can make one: its end is written into the file."""
        made = self.create("--robot", "ci", "--expires", "2099-01-01")
        file = self.folder / "tokens"
        text = file.read_text()
        assert text.count('"2099-01-01') == 1
        file.write_text(text.replace('"2099-01-01', '"2019-01-01'))
        return made["secret"]

    def fill(self):
        jenkins = Wire(self.server, "jenkins", USERS["jenkins"])
        self.digest = jenkins.push_blob("secret/app", MARKER)
        assert jenkins.push_blob("team/app", MARKER) == self.digest
        for repository in ("team/app", "secret/app"):
            image = Image("negative")
            manifest = json.loads(image.manifest) | {"annotations": {"note": MARKER.decode()}}
            for data in image.blobs.values():
                jenkins.push_blob(repository, data)
            jenkins.push_manifest(repository, "1.0", manifest)
        jenkins.close()

    def state(self):
        """All that a push or a delete would change."""
        jenkins = Wire(self.server, "jenkins", USERS["jenkins"])
        names = jenkins.call("GET", "/v2/_catalog").json()["repositories"]
        found = {name: [jenkins.pull_manifest(name, tag).body for tag in jenkins.tags(name)] for name in names}
        blobs = [jenkins.pull_blob(name, self.digest).body for name in ("team/app", "secret/app")]
        jenkins.close()
        return found, blobs

    def good_bearers(self):
        """Of the token service and of the workload's platform: {kind: (key, token, claims)}."""
        own = Key(next((self.folder / "keys").glob("*.pem")), kind="ec")
        own.header = {"kid": None}
        access = [{"type": "repository", "name": "team/app", "actions": ["pull"]}]
        claims = {
            "iss": "berth",
            "sub": "alice",
            "aud": SERVICE,
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 3000,
            "access": access,
        }
        platform = Key(next(self.issuer.folder.glob("github-*.pem")))
        platform.header = {}
        token = self.issuer.token("github", exp=NOW + 3000)
        return {"issued": (own, own.token(claims, own.header), claims), "OIDC": (platform, token, claims_of(token))}

    def ask(self, method, target, fields=()):
        """The answer's status and everything that came: 0 for a connection that just ends."""
        head = [
            method.encode() + b" " + target + b" HTTP/1.1",
            b"Host: " + self.server.host.encode(),
            b"Connection: close",
        ]
        if method in ("PUT", "POST", "PATCH"):
            head.append(b"Content-Length: 0")
        head += [b"Authorization: " + field for field in fields]
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        with self.server.trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            received = b""
            try:
                connection.sendall(b"\r\n".join(head) + b"\r\n\r\n")
                while data := connection.recv(65536):
                    received += data
            except OSError:
                pass  # a server that has heard enough may end it
        status = received.split(b" ", 2)[1] if received.startswith(b"HTTP/1.1 ") else b"0"
        return int(status), received


@pytest.fixture(scope="module")
def world(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("negative")
    with Issuer(folder / "issuer", authority) as issuer:
        made = World(folder, authority, issuer)
        with made.server:
            made.fill()
            yield made


@pytest.fixture(scope="module")
def credentials(world):
    """All forged ones: {name: values of Authorization}."""
    attacker, other = Key(world.folder / "attacker.pem"), Key(world.folder / "attacker-ec.pem", "ec")
    made = {}
    for kind, (key, token, claims) in world.good_bearers().items():
        made |= bearer_tokens(kind, key, token, claims, attacker, other)
    lines = (world.folder / "htpasswd").read_text().splitlines()
    made |= passwords(USERS, dict(line.split(":", 1) for line in lines))
    made |= access_tokens(world.access, world.dead)
    issued, platform = world.good_bearers().values()
    refresh = {**issued[2], "aud": f"refresh {SERVICE}", "mark": "x"}
    made |= {
        "a refresh token": [bearer(issued[0].token(refresh, {"kid": None, "typ": "berth-refresh+jwt"}))],
        "a refresh token as a plain one": [bearer(issued[0].token(refresh, {"kid": None}))],
        "the platform's key for the service's issuer": [bearer(platform[0].token(issued[2]))],
        "the service's key for the platform's issuer": [bearer(issued[0].token(platform[2], {"kid": None}))],
        "an issued token with nothing granted": [bearer(issued[0].token({**issued[2], "access": []}, {"kid": None}))],
        "an issued token for another repository": [
            bearer(
                issued[0].token(
                    {**issued[2], "access": [{"type": "repository", "name": "team/app2", "actions": ["*"]}]},
                    {"kid": None},
                )
            )
        ],
        "nothing": [],
        "an empty field": [b""],
    }
    return made


def check_refused(world, requests):
    """Each of {name: (method, target, fields)}: no success, no failure of the server, not unheard, nothing private."""
    wrong = []
    for name, (method, target, fields) in requests.items():
        status, received = world.ask(method, target, fields)
        if 200 <= status < 300 or status >= 500 or status == 429 or MARKER in received:
            wrong.append(f"{name}: {method} {target[:80]!r}: {received[:200]!r}")
    assert not wrong, "\n".join(wrong)


def test_what_is_good_gets_in(world):
    """The forgeries are of these: were they no good, refusing the others would prove nothing."""
    good = [basic(*user) for user in USERS.items()] + [basic("ci", world.access["ci"]), bearer(world.access["alice"])]
    good += [bearer(token) for _, token, _ in world.good_bearers().values()]
    for field in good:
        status, received = world.ask("GET", b"/v2/team/app/manifests/1.0", [field])
        assert status == 200 and MARKER in received, (field, received)


def test_no_forged_credential_pulls_or_pushes(world, credentials):
    assert len(credentials) >= 300
    before = world.state()
    requests = {}
    for name, fields in credentials.items():
        requests[f"{name}, pulling"] = ("GET", b"/v2/team/app/manifests/1.0", fields)
        requests[f"{name}, a blob"] = ("GET", f"/v2/team/app/blobs/{world.digest}".encode(), fields)
        requests[f"{name}, pushing"] = ("POST", b"/v2/team/app/blobs/uploads/", fields)
        requests[f"{name}, deleting"] = ("DELETE", b"/v2/team/app/manifests/1.0", fields)
    check_refused(world, requests)
    assert world.state() == before


@pytest.mark.parametrize("who", ["nobody", "alice"])
def test_no_path_leads_around_the_policy(world, who):
    before = world.state()
    fields = [basic("alice", USERS["alice"])] if who == "alice" else []
    tricks = paths(world.server.host, "secret/app", world.digest)
    requests = {f"{name} {method}": (method, target, fields) for name, target in tricks.items() for method in METHODS}
    assert len(requests) >= 300
    check_refused(world, requests)
    assert world.state() == before


def test_nothing_of_it_stands_in_the_log(world, credentials):
    log = world.server.log.read_bytes()
    assert MARKER not in log
    for secret in [*world.access.values(), *USERS.values()]:
        assert secret.encode() not in log
    for _, token, _ in world.good_bearers().values():
        assert token.split(".")[2].encode() not in log
    assert sha256(MARKER).encode() in log  # it is the right log
