"""podman and buildah: two programs over one library, each with a store of its own here."""

import json

import pytest
from images import Image, noise, tar, write_layout
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS

PROGRAMS = ["podman", "buildah"]


@pytest.fixture(scope="module", params=PROGRAMS)
def client_for(request, client_of, authority, tmp_path_factory):
    """Makes a client by the name of its user; all of one program share one image store."""
    store = tmp_path_factory.mktemp(f"{request.param}-store")
    (store / "ca").mkdir()
    (store / "ca/ca.crt").write_bytes(authority.certificate.read_bytes())
    prefix = ["--root", store / "root", "--runroot", store / "run", "--storage-driver", "vfs"]
    if request.param == "podman":
        prefix += ["--cgroup-manager", "cgroupfs", "--events-backend", "none"]

    def make(name):
        client = client_of(request.param, name, prefix)
        client.trust = ["--cert-dir", store / "ca", "--tls-verify=true", "--authfile", client.folder / "auth.json"]
        client.kind = request.param
        return client

    return make


def login(client, registry, user, password):
    return client("login", *client.trust, "-u", user, "-p", password, registry.host)


@pytest.fixture(scope="module")
def jenkins_client(client_for, registry):
    client = client_for("jenkins")
    login(client, registry, "jenkins", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(client_for, registry):
    client = client_for("alice")
    login(client, registry, "alice", USERS["alice"])
    return client


def load(client, reference, seed):
    """Makes an image of one file, each program by its own means."""
    if client.kind == "podman":
        path = client.folder / f"{seed}.tar"
        path.write_bytes(tar({"content": noise(seed, 200_000)}))
        client("import", path, reference)
    else:
        (client.folder / "content").write_bytes(noise(seed, 200_000))
        container = client("from", "scratch").strip()
        client("copy", container, "content", "/content")
        client("config", "--cmd", "/content", container)
        client("commit", "--rm", container, reference)
    return reference


def identity(client, reference):
    template = ["--format", "{{.Id}}" if client.kind == "podman" else "{{.FromImageID}}"]
    return client("inspect", "--type", "image", *template, reference).strip()


@pytest.fixture(scope="module")
def pushed(jenkins_client, registry):
    client = jenkins_client
    reference = load(client, f"{registry.host}/{client.kind}/app:1.0", client.kind)
    client("push", *client.trust, reference)
    return reference, identity(client, reference)


def test_push_and_pull_give_the_same_image(jenkins_client, alice, pushed):
    reference, image = pushed
    jenkins_client("rmi", reference)
    alice("pull", *alice.trust, reference)
    assert identity(alice, reference) == image


def test_pushes_a_copy_and_pulls_it_by_digest(jenkins_client, alice, jenkins, registry, pushed):
    client = jenkins_client
    copy = f"{registry.host}/{client.kind}/copy:1.0"
    client("tag", pushed[0], copy)
    client("push", *client.trust, copy)
    digest = jenkins.pull_manifest(f"{client.kind}/copy", "1.0").headers["Docker-Content-Digest"]
    alice("pull", *alice.trust, f"{registry.host}/{client.kind}/copy@{digest}")


def test_pushes_docker_schema_2(jenkins_client, jenkins, registry, pushed):
    client = jenkins_client
    client("push", *client.trust, "--format", "v2s2", pushed[0], f"docker://{registry.host}/{client.kind}/schema2:1.0")
    answer = jenkins.pull_manifest(f"{client.kind}/schema2", "1.0")
    assert answer.headers["Content-Type"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_multi_platform_image(jenkins_client, alice, jenkins, registry, tmp_path):
    client = jenkins_client
    name = f"{registry.host}/{client.kind}/both:1.0"
    client("manifest", "create", name)
    for architecture in ("amd64", "arm64"):
        write_layout(tmp_path / architecture, [Image(client.kind, architecture)], architecture)
        client("manifest", "add", name, f"oci:{tmp_path / architecture}:{architecture}")
    client("manifest", "push", *client.trust, "--all", name, f"docker://{name}")
    shown = json.loads(jenkins.pull_manifest(f"{client.kind}/both", "1.0").body)
    assert sorted(entry["platform"]["architecture"] for entry in shown["manifests"]) == ["amd64", "arm64"]
    client("manifest", "rm", name)
    for architecture in ("amd64", "arm64"):
        platform = ["--arch", architecture, "--os", "linux"]
        alice("pull", *alice.trust, *platform, name)


def test_lists_tags(client_for, alice, registry, pushed):
    if alice.kind == "podman":
        options = ["--tls-verify=true", *alice.trust[2:]]  # search has no --cert-dir: SSL_CERT_FILE stands in
        listed = alice("search", *options, "--list-tags", f"{registry.host}/podman/app")
        assert "1.0" in listed
    else:
        alice("pull", *alice.trust, "--all-tags", f"{registry.host}/buildah/app")


def test_a_deleted_image_is_not_pulled(jenkins_client, alice, jenkins, registry):
    client = jenkins_client
    reference = load(client, f"{registry.host}/{client.kind}/deleted:1.0", "deleted")
    client("push", *client.trust, reference)
    client("rmi", reference)
    repository = f"{client.kind}/deleted"
    digest = jenkins.pull_manifest(repository, "1.0").headers["Docker-Content-Digest"]
    assert jenkins.call("DELETE", f"/v2/{repository}/manifests/{digest}").status == 202
    alice.refused("pull", *alice.trust, reference, saying=UNKNOWN)


def test_a_wrong_password_is_refused(client_for, registry):
    client = client_for("mallory")
    client.refused("login", *client.trust, "-u", "jenkins", "-p", "guess", registry.host, saying=WRONG_PASSWORD)


def test_alice_may_not_push(jenkins_client, alice, registry):
    reference = load(jenkins_client, f"{registry.host}/{alice.kind}/app:alice", "alice")
    alice.refused("push", *alice.trust, reference, saying=NOT_ALLOWED)


def test_an_unknown_name_is_not_found(alice, registry):
    alice.refused("pull", *alice.trust, f"{registry.host}/{alice.kind}/nothing:here", saying=UNKNOWN)
