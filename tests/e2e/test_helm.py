"""helm: charts as OCI artifacts."""

import hashlib

import pytest
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS
from wire import Wire


@pytest.fixture(scope="module")
def helm_for(client_of):
    return lambda name: client_of("helm", name)


def login(client, registry, authority, user, password):
    return client(
        "registry", "login", registry.host, "--ca-file", authority.certificate, "-u", user, "--password-stdin",
        input=password,
    )  # fmt: skip


@pytest.fixture(scope="module")
def helm(helm_for, registry, authority):
    client = helm_for("jenkins")
    login(client, registry, authority, "jenkins", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(helm_for, registry, authority):
    client = helm_for("alice")
    login(client, registry, authority, "alice", USERS["alice"])
    return client


def package(client, name, version="0.1.0"):
    client("create", name)
    client("package", name, "--version", version)
    return client.folder / f"{name}-{version}.tgz"


@pytest.fixture(scope="module")
def pushed(helm, registry, authority):
    chart = package(helm, "harbour")
    helm("push", chart, f"oci://{registry.host}/charts", "--ca-file", authority.certificate)
    return chart


def test_push_and_pull_give_the_same_bytes(alice, registry, authority, pushed, tmp_path):
    alice(
        "pull", f"oci://{registry.host}/charts/harbour", "--version", "0.1.0", "--ca-file", authority.certificate,
        "-d", tmp_path,
    )  # fmt: skip
    assert (tmp_path / "harbour-0.1.0.tgz").read_bytes() == pushed.read_bytes()


def test_finds_the_newest_version_by_the_tags(helm, alice, registry, authority, pushed, tmp_path):
    for version in ("0.2.0", "0.10.0"):
        helm("package", "harbour", "--version", version)
        helm("push", f"harbour-{version}.tgz", f"oci://{registry.host}/charts", "--ca-file", authority.certificate)
    shown = alice("show", "chart", f"oci://{registry.host}/charts/harbour", "--ca-file", authority.certificate)
    assert "version: 0.10.0" in shown


def test_renders_a_chart_from_the_registry(alice, registry, authority, pushed):
    text = alice(
        "template", "mine", f"oci://{registry.host}/charts/harbour", "--version", "0.1.0",
        "--ca-file", authority.certificate,
    )  # fmt: skip
    assert "kind: Deployment" in text


def test_a_pulled_chart_is_gone_after_a_delete(helm, alice, registry, authority):
    """helm itself has no delete; the registry's API does it."""
    chart = package(helm, "sunk")
    said = helm("push", chart, f"oci://{registry.host}/charts", "--ca-file", authority.certificate)
    digest = next(line.split()[-1] for line in said.splitlines() if line.startswith("Digest:"))
    wire = Wire(registry, "jenkins", USERS["jenkins"])
    manifest = wire.pull_manifest("charts/sunk", "0.1.0")
    assert "sha256:" + hashlib.sha256(manifest.body).hexdigest() == digest
    assert wire.call("DELETE", f"/v2/charts/sunk/manifests/{digest}").status == 202
    wire.close()
    alice.refused(
        "pull", f"oci://{registry.host}/charts/sunk", "--version", "0.1.0", "--ca-file", authority.certificate,
        saying=UNKNOWN,
    )  # fmt: skip


def test_a_wrong_password_is_refused(helm_for, registry, authority):
    helm_for("mallory").refused(
        "registry", "login", registry.host, "--ca-file", authority.certificate, "-u", "jenkins", "--password-stdin",
        input="guess", saying=WRONG_PASSWORD,
    )  # fmt: skip


def test_alice_may_not_push(alice, registry, authority):
    chart = package(alice, "mutiny")
    alice.refused(
        "push", chart, f"oci://{registry.host}/charts", "--ca-file", authority.certificate, saying=NOT_ALLOWED
    )


def test_an_unknown_chart_is_not_found(alice, registry, authority):
    alice.refused(
        "pull", f"oci://{registry.host}/charts/atlantis", "--version", "1.0.0", "--ca-file", authority.certificate,
        saying=UNKNOWN,
    )  # fmt: skip
