"""Keyless CI: workloads log in by their platform's own tokens, which a real issuer signs."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from images import Image, write_layout
from jose import Key, b64, claims_of, hs256, part, unsigned
from oidc_issuer import AUDIENCE, Issuer
from refusals import NOT_ALLOWED, WRONG_PASSWORD
from server import USERS, Server, merge, secure_config
from test_docker import daemon, docker_for, load  # noqa: F401 (two of them are fixtures)
from wire import Wire

PUSH = ["pull", "push"]
RULES = [
    {"name": "people pull", "subjects": ["authenticated"], "actions": ["pull"]},
    {
        "name": "GitHub releases org/app",
        "repositories": ["org/app"],
        "subjects": ["oidc:github repo=org/app ref=refs/heads/main"],
        "actions": PUSH,
    },
    {
        "name": "GitLab's protected branches",
        "repositories": ["group/app"],
        "subjects": ["oidc:gitlab project_path=group/app ref_protected=true"],
        "actions": PUSH,
    },
    {
        "name": "the job app of Jenkins",
        "repositories": ["job/app"],
        "subjects": ["oidc:jenkins sub=https://jenkins.example.org/job/app/**"],
        "actions": PUSH,
    },
    {
        "name": "the builder of the cluster",
        "repositories": ["cluster/app"],
        "subjects": ["oidc:kubernetes kubernetes.io.namespace=ci kubernetes.io.serviceaccount.name=builder"],
        "actions": PUSH,
    },
]
REPOSITORIES = {"github": "org/app", "gitlab": "group/app", "jenkins": "job/app", "kubernetes": "cluster/app"}


def server_for(folder, authority, issuer):
    folder.mkdir(exist_ok=True)
    throttle = {"failures": 1000, "addressfailures": 1000}  # all of these tests come from one address
    config = merge(secure_config(folder), {"policy": RULES, "auth": {"throttle": throttle}})
    # The cluster's keys are named outright, as for one whose discovery document nobody outside may read.
    cluster = issuer.provider("kubernetes", jwks=issuer.url("kubernetes") + "/jwks", algorithms=["ES256"])
    config["auth"]["oidc"] = [*(issuer.provider(name) for name in ("github", "gitlab", "jenkins")), cluster]
    return Server(folder, config, tls=authority.issue("registry"), trust=authority.trust())


@pytest.fixture(scope="module")
def issuer(tmp_path_factory, authority):
    with Issuer(tmp_path_factory.mktemp("issuer"), authority) as running:
        yield running


@pytest.fixture(scope="module")
def registry(tmp_path_factory, authority, issuer):
    folder = tmp_path_factory.mktemp("registry")
    with server_for(folder, authority, issuer) as server:
        yield server


@pytest.fixture
def own_issuer(tmp_path, authority):
    with Issuer(tmp_path / "issuer", authority) as running:
        yield running


@pytest.fixture
def own_registry(tmp_path, authority, own_issuer):
    with server_for(tmp_path / "registry", authority, own_issuer) as server:
        yield server


def status(server, token, repository="org/app", scheme="Bearer"):
    """What the answer is to somebody who begins to push."""
    wire = Wire(server, "oidc", token) if scheme == "Basic" else Wire(server)
    if scheme == "Bearer":
        wire.headers["Authorization"] = f"Bearer {token}"
    answer = wire.call("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
    wire.close()
    return answer.status


class Program:
    """How each client logs in with a token on its standard input, and pushes an OCI layout."""

    def __init__(self, client_of, name, authority, registry):
        self.client, self.name, self.registry = client_of(name, "workload"), name, registry
        certificates = self.client.folder / "certificates"
        certificates.mkdir()
        (certificates / "ca.crt").write_bytes(authority.certificate.read_bytes())
        auth = self.client.folder / "auth.json"
        self.login_flags = {
            "crane": ["auth", "login"],
            "skopeo": ["login", "--cert-dir", certificates, "--authfile", auth],
            "podman": ["login", "--cert-dir", certificates, "--authfile", auth],
        }[name]
        self.copy_flags = ["--dest-cert-dir", certificates, "--authfile", auth]
        self.auth = auth

    def login(self, token, run=None):
        return (run or self.client)(
            *self.login_flags, "-u", "oidc", "--password-stdin", self.registry.host, input=token
        )

    def push(self, layout, repository, run=None):
        run = run or self.client
        target = f"{self.registry.host}/{repository}:1.0"
        if self.name == "crane":
            return run("push", layout, target)
        return run("copy", *self.copy_flags, f"oci:{layout}:latest", f"docker://{target}")


@pytest.fixture(params=["crane", "skopeo"])
def program(request, client_of, authority, registry):
    return Program(client_of, request.param, authority, registry)


@pytest.mark.parametrize("platform", REPOSITORIES)
def test_a_workload_logs_in_and_pushes_by_its_rule(program, platform, issuer, registry, tmp_path):
    image = Image(f"oidc-{platform}")
    write_layout(tmp_path / "image", [image])
    program.login(issuer.token(platform))
    program.push(tmp_path / "image", REPOSITORIES[platform])
    alice = Wire(registry, "alice", USERS["alice"])
    assert alice.pull_manifest(REPOSITORIES[platform], "1.0").body == image.manifest
    alice.close()


def test_a_client_is_refused_for_another_repository_and_another_branch(program, issuer, tmp_path):
    def refused(*args, **options):
        return program.client.refused(*args, saying=NOT_ALLOWED, **options)

    write_layout(tmp_path / "image", [Image("oidc-refused")])
    program.login(issuer.token("github"))
    program.push(tmp_path / "image", "org/other", run=refused)
    program.login(issuer.token("github", ref="refs/heads/topic"))
    program.push(tmp_path / "image", "org/app", run=refused)


def test_podman_logs_in_with_a_token_and_not_with_a_forged_one(client_of, authority, registry, issuer):
    podman = Program(client_of, "podman", authority, registry)
    token = issuer.token("gitlab")
    assert "Login Succeeded" in podman.login(token)

    def refused(*args, **options):
        return podman.client.refused(*args, saying=WRONG_PASSWORD, **options)

    head, payload, signature = token.split(".")
    podman.login(f"{head}.{part({**claims_of(token), 'ref': 'other'})}.{signature}", run=refused)


def test_docker_logs_in_and_pushes(docker_for, issuer, registry):  # noqa: F811
    docker = docker_for("workload")

    def login(token, run):
        return run("login", registry.host, "-u", "oidc", "--password-stdin", input=token)

    assert "Login Succeeded" in login(issuer.token("github"), docker)
    docker("push", load(docker, f"{registry.host}/org/app:docker", "oidc"))
    other = load(docker, f"{registry.host}/org/other:docker", "oidc")
    docker.refused("push", other, saying=NOT_ALLOWED)
    expired = issuer.token("github", exp=int(time.time()) - 120)
    login(expired, lambda *args, **options: docker.refused(*args, saying=WRONG_PASSWORD, **options))


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
@pytest.mark.parametrize("platform", REPOSITORIES)
def test_a_token_is_a_password_and_a_bearer(registry, issuer, platform, scheme):
    assert status(registry, issuer.token(platform), REPOSITORIES[platform], scheme) == 202


@pytest.mark.parametrize(
    "platform, changes",
    [
        ("github", {"repository": "org/other"}),
        ("github", {"repository": "org/app2"}),
        ("github", {"repository": "ORG/APP"}),
        ("github", {"repository": None}),
        ("github", {"repository": ["org/app"]}),
        ("github", {"ref": "refs/heads/topic"}),
        ("github", {"ref": "refs/tags/main"}),
        ("gitlab", {"ref_protected": "false"}),
        ("gitlab", {"ref_protected": None}),
        ("gitlab", {"project_path": "group/app/fork"}),
        ("jenkins", {"sub": "https://jenkins.example.org/job/other/"}),
        ("jenkins", {"sub": "https://evil.example.org/https://jenkins.example.org/job/app/main"}),
        ("kubernetes", {"kubernetes.io": {"namespace": "web", "serviceaccount": {"name": "builder"}}}),
        ("kubernetes", {"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "default"}}}),
        ("kubernetes", {"kubernetes.io": {"namespace": "ci"}}),
    ],
)
def test_a_good_token_that_fits_no_rule_is_denied(registry, issuer, platform, changes):
    assert status(registry, issuer.token(platform, **changes), REPOSITORIES[platform]) == 403


def test_a_workload_of_one_platform_is_nobody_on_another(registry, issuer):
    token = issuer.token("gitlab", repository="org/app", ref="refs/heads/main")
    assert status(registry, token, "org/app") == 403


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another.example.org"},
        {"aud": [AUDIENCE + ".evil.org"]},
        {"aud": None},
        {"aud": []},
        {"exp": NOW - 120},
        {"exp": None},
        {"exp": "9999999999"},
        {"nbf": NOW + 3600},
        {"iat": NOW - 25 * 3600, "exp": NOW + 3600},
        {"iat": None},
        {"iss": "https://token.actions.githubusercontent.com"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_signed_token_that_is_not_for_here_and_now_is_refused(registry, issuer, changes):
    token = issuer.token("github", **changes)
    for scheme in ("Bearer", "Basic"):
        assert status(registry, token, scheme=scheme) == 401


def test_forged_tokens_are_refused(registry, issuer, tmp_path):
    real = issuer.token("github")
    assert status(registry, real) == 202
    head, payload, signature = real.split(".")
    claims = claims_of(real)
    other = claims_of(issuer.token("gitlab")) | {"iss": claims["iss"]}
    mine = Key(tmp_path / "mine.pem")
    theirs = Key(next(issuer.folder.glob("github-*.pem")))  # only its public half is used
    published = Key(tmp_path / "mine.pem", kid="x")
    forged = {
        "unsigned": unsigned({"alg": "none", "typ": "JWT"}, claims),
        "no signature": f"{head}.{payload}.",
        "another payload": f"{head}.{part({**claims, 'repository': 'org/app', 'ref': 'x'})}.{signature}",
        "another platform's payload": f"{head}.{part(other)}.{signature}",
        "own key": mine.token(claims),
        "own key in the header": mine.token(claims, {"jwk": mine.jwk()}),
        "own key by URL": mine.token(claims, {"jku": issuer.url("github") + "/jwks"}),
        "HMAC with the public key as PEM": hs256(theirs.public_pem, claims, {"kid": theirs.kid}),
        "HMAC with the public key as DER": hs256(theirs.public_der, claims, {"kid": theirs.kid}),
        "HMAC with the public key as JWK": hs256(json.dumps(theirs.jwk()).encode(), claims, {"kid": theirs.kid}),
        "zero signature": f"{head}.{payload}.{b64(bytes(256))}",
    }
    for name, token in forged.items():
        assert status(registry, token) == 401, name


def test_a_refusal_says_why_and_repeats_nothing_of_the_token(registry, issuer):
    token = issuer.token("github", aud="another.example.org")
    wire = Wire(registry)
    answer = wire.call("GET", "/v2/", headers={"Authorization": f"Bearer {token}"})
    wire.close()
    assert answer.status == 401
    assert "WWW-Authenticate" in answer.headers
    for secret in token.split("."):
        assert secret.encode() not in answer.body
        assert secret not in registry.log.read_text()


def test_new_keys_are_found_while_serving_and_old_ones_stay_good_until_they_vanish(own_registry, own_issuer):
    before = own_issuer.token("github")
    assert status(own_registry, before) == 202
    own_issuer.rotate("github", keep=1)
    with ThreadPoolExecutor(8) as pool:
        tokens = [own_issuer.token("github") for _ in range(8)]
        assert set(pool.map(lambda token: status(own_registry, token), tokens)) == {202}
    assert status(own_registry, own_issuer.token("github")) == 202
    assert status(own_registry, before) == 202


def test_a_vanished_key_ends_what_was_remembered(own_registry, own_issuer):
    before = own_issuer.token("github")
    assert status(own_registry, before) == 202
    own_issuer.rotate("github", keep=0)
    # Nobody has shown a token of the new key yet.
    assert status(own_registry, own_issuer.token("github")) == 202
    assert status(own_registry, before) == 401


def test_an_issuer_that_is_down_takes_nobody_in_and_nobody_out(own_registry, own_issuer):
    first, second, gitlab = own_issuer.token("github"), own_issuer.token("github"), own_issuer.token("gitlab")
    assert status(own_registry, first) == 202
    own_issuer.stop()
    # The keys are at hand for one platform only; nobody can tell about the other's tokens now.
    assert status(own_registry, second) == 202
    assert status(own_registry, gitlab, "group/app") == 503
    assert "OIDC provider gitlab: 127.0.0.1: " in own_registry.log.read_text()
    wire = Wire(own_registry, "alice", USERS["alice"])
    assert wire.call("GET", "/v2/").status == 200
    wire.close()
    own_issuer.start()
    # It has other keys now: those before were this process's own.
    deadline = time.monotonic() + 30
    while (got := status(own_registry, own_issuer.token("gitlab"), "group/app")) != 202:
        assert got == 503 and time.monotonic() < deadline
        time.sleep(0.1)


def test_the_server_starts_while_an_issuer_is_down(tmp_path, authority, own_issuer):
    token = own_issuer.token("github")
    own_issuer.stop()
    with server_for(tmp_path / "registry", authority, own_issuer) as server:
        assert status(server, token) == 503
