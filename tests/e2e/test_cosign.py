"""cosign: signatures and attestations beside an image, with a local key and nothing on the internet."""

import json
import re

import pytest
from images import Image
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS

OFFLINE = ["--use-signing-config=false", "--tlog-upload=false", "--yes"]


def login(client, registry, user, password):
    return client("login", registry.host, "-u", user, "-p", password)


@pytest.fixture(scope="module")
def cosign(client_of, registry):
    client = client_of("cosign")
    client.environment["COSIGN_PASSWORD"] = "key"
    login(client, registry, "jenkins", USERS["jenkins"])
    client("generate-key-pair")
    return client


@pytest.fixture(scope="module")
def alice(client_of, registry, cosign):
    client = client_of("cosign", "alice")
    client.environment["COSIGN_PASSWORD"] = "key"
    login(client, registry, "alice", USERS["alice"])
    for name in ("cosign.key", "cosign.pub"):
        (client.folder / name).write_bytes((cosign.folder / name).read_bytes())
    return client


def verify(client, reference, *options):
    return client("verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", *options, reference)


@pytest.fixture
def image(registry, jenkins, request):
    """A fresh image of its own repository; its reference by digest."""
    repository = "cosign/" + re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")
    digest = Image(repository).push(jenkins, repository, "1.0")
    return f"{registry.host}/{repository}@{digest}"


@pytest.mark.parametrize("mode", ["bundle", "legacy"])
def test_signs_and_verifies(cosign, alice, image, mode):
    """Both forms: a bundle found by the referrers API, and the older tag sha256-….sig."""
    bundle = f"--new-bundle-format={'true' if mode == 'bundle' else 'false'}"
    alice.refused(
        "verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", bundle, image, saying="no (matching )?signatures"
    )
    cosign("sign", "--key", "cosign.key", *OFFLINE, bundle, image)
    shown = verify(alice, image, bundle)
    assert image.rpartition("@")[2] in shown


def test_the_signature_is_a_referrer(cosign, alice, image, jenkins, registry):
    cosign("sign", "--key", "cosign.key", *OFFLINE, "--new-bundle-format=true", image)
    repository, _, digest = image.removeprefix(registry.host + "/").partition("@")
    found = jenkins.call("GET", f"/v2/{repository}/referrers/{digest}").json()["manifests"]
    assert [entry["artifactType"] for entry in found] == ["application/vnd.dev.sigstore.bundle.v0.3+json"]
    assert jenkins.tags(repository) == ["1.0"]


def test_attests_and_verifies(cosign, alice, image):
    (cosign.folder / "predicate.json").write_text(json.dumps({"built": "here"}))
    cosign("attest", "--key", "cosign.key", *OFFLINE, "--type", "custom", "--predicate", "predicate.json", image)
    alice(
        "verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--type", "custom", image
    )


def test_tree_and_clean(cosign, alice, image):
    cosign("sign", "--key", "cosign.key", *OFFLINE, "--new-bundle-format=false", image)
    assert "sha256-" in alice("tree", image)
    cosign("clean", "--type", "signature", "-f", image)
    alice.refused(
        "verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--new-bundle-format=false", image,
        saying="no (matching )?signatures",
    )  # fmt: skip


def test_copies_an_image_with_its_signature(cosign, alice, image, registry):
    cosign("sign", "--key", "cosign.key", *OFFLINE, "--new-bundle-format=false", image)
    copy = f"{registry.host}/cosign/copied:1.0"
    cosign("copy", image, copy)
    verify(alice, copy, "--new-bundle-format=false")


def test_a_wrong_password_is_refused(client_of, image):
    client_of("cosign", "mallory").refused(
        "tree", "--registry-username", "jenkins", "--registry-password", "guess",
        image, saying=WRONG_PASSWORD,
    )  # fmt: skip


def test_alice_may_not_sign(alice, image):
    alice.refused("sign", "--key", "cosign.key", *OFFLINE, image, saying=NOT_ALLOWED)


def test_an_unknown_image_is_not_found(alice, registry):
    alice.refused(
        "verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", f"{registry.host}/cosign/nothing:here",
        saying=UNKNOWN,
    )  # fmt: skip
