"""Bearer tokens: real clients log in at Berth's token service, and at one that is not Berth's; another registry takes
Berth's tokens; keys rotate under load; what was issued ends when it should."""

import base64
import json
import subprocess
import threading
import time
from urllib.parse import urlencode

import pytest
from images import Image, noise, write_layout
from refusals import NOT_ALLOWED, WRONG_PASSWORD
from server import BINARY, POLICY, USERS, Failed, Server, free_port, run, secure_config, write_htpasswd
from test_docker import daemon, docker_for, load  # noqa: F401 (fixtures)
from token_server import TokenServer, certificate_header, docker_id
from wire import Wire

REFUSED = f"{NOT_ALLOWED}|{WRONG_PASSWORD}|insufficient"
OPEN = {"name": "open", "subjects": ["anonymous"], "actions": ["pull"], "repositories": ["public/**"]}
DEADLINE_SECONDS = 10


def issuing_config(folder, **issuer):
    folder.mkdir(parents=True, exist_ok=True)
    config = secure_config(folder)
    config["auth"]["tokens"] = {"path": str(folder / "tokens")}
    config["auth"]["issuer"] = {"enabled": True, "keys": str(folder / "keys"), **issuer}
    config["policy"] = [OPEN, *POLICY]
    return config


@pytest.fixture(scope="module")
def issuing(tmp_path_factory, authority):
    """Berth with its token service; anybody pulls public/**, who logs in pulls all, jenkins pushes."""
    folder = tmp_path_factory.mktemp("issuing")
    config = issuing_config(folder)
    with Server(folder, config, tls=authority.issue("issuing"), trust=authority.trust()) as server:
        yield server
    server.remove_data()


@pytest.fixture(scope="module")
def outside(authority):
    """A token server that is not ours: alice pulls, jenkins does all."""
    grants = {"jenkins": {"pull", "push", "delete", "*"}, "alice": {"pull"}, "": set()}
    pair = authority.issue("tokens")
    with TokenServer(pair, USERS, lambda user, _: grants[user]) as server:
        server.certificate = pair[0]
        yield server


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, authority, outside):
    """Berth that trusts it, as registry:2's auth.token says."""
    folder = tmp_path_factory.mktemp("trusting")
    bundle = folder / "bundle.pem"
    bundle.write_bytes(outside.certificate.read_bytes())
    token = {
        "realm": outside.realm, "service": outside.service, "issuer": outside.issuer, "rootcertbundle": str(bundle),
    }  # fmt: skip
    config = {"auth": {"token": token}}
    with Server(folder, config, tls=authority.issue("trusting"), trust=authority.trust()) as server:
        server.bundle = bundle
        yield server
    server.remove_data()


class Crane:
    def __init__(self, client):
        self.client = client

    def login(self, registry, user, password):
        self.client("auth", "login", registry.host, "-u", user, "-p", password)

    def push(self, reference, run=None):
        layout = self.client.folder / "layout"
        if not layout.exists():
            write_layout(layout, [Image("token")])
        (run or self.client)("push", layout, reference)

    def pull(self, reference, run=None):
        target = self.client.folder / f"pulled-{time.monotonic_ns()}"
        (run or self.client)("pull", "--format=oci", reference, target)


class Oras(Crane):
    def login(self, registry, user, password):
        self.client("login", registry.host, "-u", user, "--password-stdin", input=password)

    def push(self, reference, run=None):
        (self.client.folder / "one.txt").write_bytes(noise("token", 3000))
        (run or self.client)("push", reference, "--artifact-type", "application/vnd.test", "one.txt:text/plain")

    def pull(self, reference, run=None):
        (run or self.client)("pull", reference, "-o", self.client.folder / "pulled")


class Skopeo(Crane):
    def __init__(self, client, authority):
        super().__init__(client)
        folder = client.folder / "certificates"
        folder.mkdir()
        (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
        self.auth, self.trust = ["--authfile", client.folder / "auth.json"], folder

    def login(self, registry, user, password):
        self.client("login", *self.auth, "--cert-dir", self.trust, "-u", user, "-p", password, registry.host)

    def push(self, reference, run=None):
        layout = self.client.folder / "layout"
        if not layout.exists():
            write_layout(layout, [Image("token")])
        (run or self.client)(
            "copy", *self.auth, "--dest-cert-dir", self.trust, f"oci:{layout}:latest", f"docker://{reference}"
        )

    def pull(self, reference, run=None):
        target = self.client.folder / f"pulled-{time.monotonic_ns()}"
        (run or self.client)(
            "copy", *self.auth, "--src-cert-dir", self.trust, f"docker://{reference}", f"oci:{target}:latest"
        )


class Podman(Crane):
    def __init__(self, client, authority):
        super().__init__(client)
        folder = client.folder / "certificates"
        folder.mkdir()
        (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
        known = client.folder / "auth.json"
        known.write_text("{}")  # podman will not start without the file
        self.trust = ["--cert-dir", folder, "--tls-verify=true", "--authfile", known]

    def login(self, registry, user, password):
        self.client("login", *self.trust, "-u", user, "-p", password, registry.host)

    def push(self, reference, run=None):
        load(self.client, reference, "token")
        (run or self.client)("push", *self.trust, reference)

    def pull(self, reference, run=None):
        (run or self.client)("pull", *self.trust, reference)


class Helm(Crane):
    def __init__(self, client, authority):
        super().__init__(client)
        self.trust = ["--ca-file", authority.certificate]

    def login(self, registry, user, password):
        words = ["registry", "login", registry.host, *self.trust, "-u", user, "--password-stdin"]
        self.client(*words, input=password)

    def push(self, reference, run=None):
        if not (self.client.folder / "app-0.1.0.tgz").exists():
            self.client("create", "app")
            self.client("package", "app", "--version", "0.1.0")
        place = reference.rpartition("/")[0]
        (run or self.client)("push", "app-0.1.0.tgz", f"oci://{place}", *self.trust)

    def pull(self, reference, run=None):
        place = reference.rpartition(":")[0]
        (run or self.client)("pull", f"oci://{place}", "--version", "0.1.0", *self.trust)


class Docker(Crane):
    def login(self, registry, user, password):
        words = ["login", registry.host, "-u", user, "--password-stdin"]
        assert "Login Succeeded" in self.client(*words, input=password)

    def push(self, reference, run=None):
        load(self.client, reference, "token")
        (run or self.client)("push", reference)

    def pull(self, reference, run=None):
        (run or self.client)("pull", reference)

    def kept(self, registry):
        """What it wrote down at the login."""
        return json.loads((self.client.folder / "home/.docker/config.json").read_text())["auths"][registry.host]


@pytest.fixture(scope="module")
def driver_of(client_of, authority, docker_for, tmp_path_factory):  # noqa: F811
    def make(program, name):
        if program == "docker":
            return Docker(docker_for(name))
        if program == "podman":
            store = tmp_path_factory.mktemp("podman-store")
            prefix = ["--root", store / "root", "--runroot", store / "run", "--storage-driver", "vfs"]
            prefix += ["--cgroup-manager", "cgroupfs", "--events-backend", "none"]
            return Podman(client_of("podman", name, prefix), authority)
        client = client_of(program, name)
        if program in ("skopeo", "helm"):
            return {"skopeo": Skopeo, "helm": Helm}[program](client, authority)
        return {"crane": Crane, "oras": Oras}[program](client)

    return make


def refuse(driver, action, reference):
    """Pushes go to a repository that is new: clients do not push what is there."""
    if action == "push":
        host, slash, path = reference.partition("/")
        reference = f"{host}{slash}refused/{path}"
    getattr(driver, action)(reference, run=lambda *words: driver.client.refused(*words, saying=REFUSED))


def until(condition, what):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_SECONDS} s"
        time.sleep(0.05)


def get_token(wire, *scopes, user=None, password=None, **more):
    headers = {}
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    query = urlencode([("service", "x"), *[("scope", scope) for scope in scopes], *more.items()])
    answer = wire.call("GET", f"/token?{query}", headers=headers)
    assert answer.status == 200, answer
    return answer.json()


def post_token(wire, **form):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return wire.call("POST", "/token", urlencode(form).encode(), headers)


def by(token):
    return {"Authorization": f"Bearer {token}"}


PROGRAMS = ["docker", "podman", "skopeo", "crane", "oras", "helm"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_clients_log_in_at_the_token_service(program, driver_of, issuing):
    """They are only told of Bearer, so each of them has a token for each thing it does."""
    challenge = Wire(issuing).call("GET", "/v2/").headers["WWW-Authenticate"]
    assert challenge.startswith(f'Bearer realm="https://{issuing.host}/token",service="{issuing.host}"')
    tag = "0.1.0" if program == "helm" else "1.0"
    reference = f"{issuing.host}/team/{program}/app:{tag}"
    jenkins, alice = driver_of(program, "jenkins"), driver_of(program, "alice")
    jenkins.login(issuing, "jenkins", USERS["jenkins"])
    jenkins.push(reference)
    alice.login(issuing, "alice", USERS["alice"])
    alice.pull(reference)
    refuse(alice, "push", reference)
    stranger = driver_of(program, "stranger")
    refuse(stranger, "pull", reference)


@pytest.mark.parametrize("program", PROGRAMS)
def test_anybody_pulls_what_is_open_and_pushes_after_a_login(program, driver_of, issuing):
    tag = "0.1.0" if program == "helm" else "1.0"
    reference = f"{issuing.host}/public/{program}/app:{tag}"
    jenkins, stranger = driver_of(program, "jenkins"), driver_of(program, "stranger")
    refuse(jenkins, "push", reference)
    jenkins.login(issuing, "jenkins", USERS["jenkins"])
    jenkins.push(reference)
    stranger.pull(reference)
    refuse(stranger, "push", reference)


def test_docker_keeps_a_refresh_token_and_no_password(driver_of, issuing):
    docker = driver_of("docker", "jenkins")
    docker.login(issuing, "jenkins", USERS["jenkins"])
    kept = docker.kept(issuing)
    assert kept["identitytoken"].count(".") == 2
    assert USERS["jenkins"] not in base64.b64decode(kept.get("auth", "")).decode()


def test_wrong_passwords_are_refused(driver_of, issuing):
    for program in ("docker", "skopeo", "oras", "helm"):
        driver = driver_of(program, "wrong")
        with pytest.raises(Failed, match=f"(?i){WRONG_PASSWORD}"):
            driver.login(issuing, "jenkins", "wrong")


@pytest.mark.parametrize("header", ["kid", "x5c"])
@pytest.mark.parametrize("program", ["docker", "podman", "skopeo", "crane"])
def test_tokens_of_another_server_are_verified(program, header, driver_of, trusting, outside):
    brings = certificate_header(outside.certificate) if header == "x5c" else {"kid": docker_id(outside.key)}
    outside.header = brings
    reference = f"{trusting.host}/{header}/{program}:1.0"
    jenkins, alice = driver_of(program, "jenkins"), driver_of(program, "alice")
    jenkins.login(trusting, "jenkins", USERS["jenkins"])
    jenkins.push(reference)
    alice.login(trusting, "alice", USERS["alice"])
    alice.pull(reference)
    refuse(alice, "push", reference)
    assert any(user == "jenkins" for user, _ in outside.asked)
    with pytest.raises(Failed, match=f"(?i){WRONG_PASSWORD}"):
        wrong = driver_of(program, "wrong")
        wrong.login(trusting, "jenkins", "wrong")
        wrong.pull(reference)  # some look at the password only now
    refuse(driver_of(program, "stranger"), "pull", reference)


def test_the_bundle_is_followed(trusting, outside, authority):
    wire = Wire(trusting)
    token = by(outside.token("jenkins", ["repository:a:pull"]))
    pull = lambda: wire.call("GET", "/v2/a/tags/list", headers=token).status  # noqa: E731
    assert pull() == 404
    other, _ = authority.issue("another")
    trusting.bundle.write_bytes(other.read_bytes())
    until(lambda: pull() == 401, "a key that is gone verifies no more")
    trusting.bundle.write_bytes(outside.certificate.read_bytes())
    until(lambda: pull() == 404, "it verifies again")
    trusting.bundle.write_text("broken")
    time.sleep(0.1)
    assert pull() == 404, "a broken bundle leaves the one before in force"
    trusting.bundle.write_bytes(outside.certificate.read_bytes())


def test_outside_tokens_that_are_no_good(trusting, outside):
    wire = Wire(trusting)
    scopes = ["repository:a:pull"]
    status = lambda token: wire.call("GET", "/v2/a/tags/list", headers=by(token)).status  # noqa: E731
    assert status(outside.token("jenkins", scopes)) == 404
    now = int(time.time())
    for changes in (
        {"iss": "somebody"}, {"aud": "another"}, {"aud": None}, {"exp": now - 61}, {"exp": None},
        {"nbf": now + 90}, {"access": []},
        {"access": [{"type": "repository", "name": "b", "actions": ["pull"]}]},
        {"access": [{"type": "repository", "name": "a", "actions": ["push"]}]},
    ):  # fmt: skip
        assert status(outside.token("jenkins", scopes, **changes)) == 401, changes


@pytest.fixture(scope="module")
def other_registry(tmp_path_factory, authority):
    """Berth as the token service of a real registry:3, which has only Berth's public keys. Returns both."""
    folder = tmp_path_factory.mktemp("other")
    config = issuing_config(folder / "berth", service="other.test")
    with Server(folder / "berth", config, tls=authority.issue("other"), trust=authority.trust()) as berth:
        jwks = folder / "jwks.json"
        jwks.write_bytes(Wire(berth).call("GET", "/token/jwks.json").body)
        port = free_port()
        token = {
            "realm": f"https://localhost:{berth.port}/token", "service": "other.test", "issuer": "berth", "jwks": str(jwks),
        }  # fmt: skip
        settings = {
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
            "http": {"addr": f"127.0.0.1:{port}"},
            "auth": {"token": token},
        }
        (folder / "config.yml").write_text(json.dumps(settings))
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(["registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        try:
            registry = type("Registry", (), {"host": f"127.0.0.1:{port}"})
            until(lambda: b"listening on" in (folder / "log").read_bytes(), "registry:3 serves")
            yield berth, registry
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.parametrize("program", ["crane", "docker"])
def test_another_registry_takes_our_tokens(program, driver_of, other_registry):
    _, registry = other_registry
    reference = f"{registry.host}/team/{program}:1.0"
    jenkins, alice = driver_of(program, "jenkins"), driver_of(program, "alice")
    jenkins.login(registry, "jenkins", USERS["jenkins"])
    jenkins.push(reference)
    alice.login(registry, "alice", USERS["alice"])
    alice.pull(reference)
    refuse(alice, "push", reference)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_keys_rotate_under_load(algorithm, tmp_path, authority):
    """Nobody is refused while keys come; what a removed key signed is void, and nothing else."""
    config = issuing_config(tmp_path, algorithm=algorithm)
    berth = lambda *words: run([BINARY, "keys", *words, "--config", tmp_path / "config.yml"])  # noqa: E731
    with Server(tmp_path, config, tls=authority.issue("rotating"), trust=authority.trust()) as server:
        Image("rotate").push(Wire(server, "jenkins", USERS["jenkins"]), "team/app", "1")
        first = berth("list").split()[0]
        early = get_token(Wire(server), "repository:team/app:pull", user="alice", password=USERS["alice"])["token"]
        failures, pulls, done = [], [], threading.Event()

        def pull():
            wire = Wire(server)
            while not done.is_set():
                token = get_token(wire, "repository:team/app:pull", user="alice", password=USERS["alice"])["token"]
                for _ in range(5):
                    answer = wire.call("GET", "/v2/team/app/manifests/1", headers=by(token))
                    (pulls if answer.status == 200 else failures).append(answer)

        threads = [threading.Thread(target=pull) for _ in range(3)]
        for thread in threads:
            thread.start()
        names = [first]
        for _ in range(4):
            before = len(pulls)
            names.append(berth("rotate").strip())
            until(lambda: len(pulls) > before + 20, "pulls go on")  # noqa: B023
        done.set()
        for thread in threads:
            thread.join()
        assert not failures and len(set(names)) == 5
        assert [line.split()[0] for line in berth("list").splitlines()] == names[::-1]
        assert all(algorithm in line for line in berth("list").splitlines())
        wire = Wire(server)
        assert wire.call("GET", "/v2/team/app/manifests/1", headers=by(early)).status == 200
        published = {key["kid"] for key in wire.call("GET", "/token/jwks.json").json()["keys"]}
        assert published == set(names)
        berth("remove", first)
        late = get_token(wire, "repository:team/app:pull", user="alice", password=USERS["alice"])["token"]
        until(
            lambda: wire.call("GET", "/v2/team/app/manifests/1", headers=by(early)).status == 401,
            "what the removed key signed is void",
        )
        assert wire.call("GET", "/v2/team/app/manifests/1", headers=by(late)).status == 200


def test_tokens_outlive_a_restart(tmp_path, authority):
    config = issuing_config(tmp_path)
    server = Server(tmp_path, config, tls=authority.issue("restarting"), trust=authority.trust())
    with server:
        token = get_token(Wire(server), "repository:a:pull", user="alice", password=USERS["alice"])["token"]
        form = {"grant_type": "password", "username": "alice", "password": USERS["alice"], "access_type": "offline"}
        refresh = post_token(Wire(server), **form).json()["refresh_token"]
    with server:
        assert Wire(server).call("GET", "/v2/a/tags/list", headers=by(token)).status == 404
        assert post_token(Wire(server), grant_type="refresh_token", refresh_token=refresh).status == 200


def test_a_refresh_token_dies_with_the_password(tmp_path, authority, driver_of):
    config = issuing_config(tmp_path)
    with Server(tmp_path, config, tls=authority.issue("refreshing"), trust=authority.trust()) as server:
        docker = driver_of("docker", "changing")
        docker.login(server, "jenkins", USERS["jenkins"])
        docker.push(f"{server.host}/team/app:1.0")
        wire = Wire(server)
        form = {"grant_type": "refresh_token", "refresh_token": docker.kept(server)["identitytoken"]}
        answer = post_token(wire, **form, scope="repository:team/app:pull,push")
        assert answer.status == 200 and answer.json()["scope"] == "repository:team/app:pull,push", answer
        write_htpasswd(tmp_path / "htpasswd", {**USERS, "alice": "changed"})
        until(lambda: post_token(wire, **form).status == 401, "a new hash is a new password")
        docker.login(server, "jenkins", USERS["jenkins"])
        form["refresh_token"] = docker.kept(server)["identitytoken"]
        assert post_token(wire, **form).status == 200
        write_htpasswd(tmp_path / "htpasswd", {**USERS, "jenkins": "changed"})
        until(lambda: post_token(wire, **form).status == 401, "the token ends with the password")
        answer = post_token(wire, **form)
        assert answer.json()["error"] == "invalid_grant"
        refuse(docker, "push", f"{server.host}/team/app:2.0")


def test_revocation_ends_what_was_issued(tmp_path, authority):
    config = issuing_config(tmp_path)
    with Server(tmp_path, config, tls=authority.issue("revoking"), trust=authority.trust()) as server:
        wire = Wire(server)
        login = {"user": "alice", "password": USERS["alice"]}
        token = get_token(wire, "repository:a:pull", **login)["token"]
        refresh = get_token(wire, offline_token="true", **login)["refresh_token"]
        pull = lambda value: wire.call("GET", "/v2/a/tags/list", headers=by(value)).status  # noqa: E731
        assert pull(token) == 404
        run([BINARY, "token", "revoke", "--user", "alice", "--config", tmp_path / "config.yml"])
        until(lambda: pull(token) == 401, "the token is void")
        assert post_token(wire, grant_type="refresh_token", refresh_token=refresh).status == 401
        assert pull(get_token(wire, "repository:a:pull", **login)["token"]) == 404
