"""regctl, regclient's program: uses more of the API than any other client, and retries in its own way."""

import json

import pytest
from images import Image, write_layout
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS


@pytest.fixture(scope="module")
def regctl_for(client_of, registry, authority):
    def make(name):
        client = client_of("regctl", name)
        client.environment["REGCTL_CONFIG"] = str(client.folder / "config.json")
        client("registry", "set", "--skip-check", registry.host, "--tls", "enabled", "--cacert", authority.certificate.read_text())
        return client

    return make


def login(client, registry, user, password):
    return client("registry", "login", registry.host, "-u", user, "--pass-stdin", input=password)


@pytest.fixture(scope="module")
def regctl(regctl_for, registry):
    client = regctl_for("jenkins")
    login(client, registry, "jenkins", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(regctl_for, registry):
    client = regctl_for("alice")
    login(client, registry, "alice", USERS["alice"])
    return client


@pytest.fixture(scope="module")
def pushed(regctl, registry, tmp_path_factory):
    image = Image("regctl")
    layout = tmp_path_factory.mktemp("layout") / "image"
    write_layout(layout, [image], "1.0")
    reference = f"{registry.host}/regctl/app:1.0"
    regctl("image", "copy", f"ocidir://{layout}:1.0", reference)
    return reference, image


def test_push_and_pull_give_the_same_bytes(alice, pushed, tmp_path):
    reference, image = pushed
    assert alice("manifest", "head", reference).strip() == image.digest
    assert alice("manifest", "get", "--format", "raw-body", reference).encode() == image.manifest
    alice("image", "copy", reference, f"ocidir://{tmp_path / 'pulled'}:1.0")
    for digest, data in image.blobs.items():
        assert (tmp_path / "pulled/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes() == data


def test_lists_tags_and_repositories(regctl, alice, registry, pushed):
    regctl("image", "copy", pushed[0], f"{registry.host}/regctl/app:1.1")
    assert alice("tag", "ls", f"{registry.host}/regctl/app").split() == ["1.0", "1.1"]
    assert "regctl/app" in alice("repo", "ls", registry.host).split()


def test_attaches_finds_and_copies_referrers(regctl, alice, registry, pushed):
    reference, _ = pushed
    regctl(
        "artifact", "put", "--artifact-type", "application/vnd.test.sbom", "--subject", reference, input="the sbom"
    )
    found = json.loads(alice("artifact", "list", "--format", "{{jsonPretty .}}", reference))
    assert [entry["artifactType"] for entry in found["descriptors"]] == ["application/vnd.test.sbom"]
    assert alice("artifact", "get", "--subject", reference).strip() == "the sbom"
    copy = f"{registry.host}/regctl/copy:1.0"
    regctl("image", "copy", "--referrers", reference, copy)
    assert alice("artifact", "get", "--subject", copy).strip() == "the sbom"


def test_multi_platform_image(regctl, alice, registry, tmp_path):
    images = [Image("regctl", "amd64"), Image("regctl", "arm64")]
    digest = write_layout(tmp_path / "both", images, "1.0")
    reference = f"{registry.host}/regctl/both:1.0"
    regctl("image", "copy", f"ocidir://{tmp_path / 'both'}:1.0", reference)
    assert alice("manifest", "head", reference).strip() == digest
    for image in images:
        platform = "linux/" + image.platform["architecture"]
        assert alice("manifest", "head", "--platform", platform, reference).strip() == image.digest
    regctl("index", "create", f"{registry.host}/regctl/both:again", "--ref", f"{reference}", "--platform", "linux/amd64")
    assert len(json.loads(alice("manifest", "get", "--format", "raw-body", f"{registry.host}/regctl/both:again"))["manifests"]) == 1


def test_puts_and_reads_a_blob_with_its_range_headers(regctl, alice, registry):
    repository = f"{registry.host}/regctl/blobs"
    digest = regctl("blob", "put", repository, input="a blob\n" * 1000).strip()
    assert alice("blob", "get", repository, digest) == "a blob\n" * 1000
    assert "Content-Length: 7000" in alice("blob", "head", repository, digest)


def test_deletes_a_tag_and_then_the_image(regctl, alice, registry, tmp_path):
    image = Image("regctl-delete")
    write_layout(tmp_path / "image", [image], "1.0")
    repository = f"{registry.host}/regctl/deleted"
    regctl("image", "copy", f"ocidir://{tmp_path / 'image'}:1.0", f"{repository}:one")
    regctl("image", "copy", f"{repository}:one", f"{repository}:two")
    regctl("tag", "rm", f"{repository}:one")
    assert alice("tag", "ls", repository).split() == ["two"]
    regctl("manifest", "rm", f"{repository}@{image.digest}")
    alice.refused("manifest", "head", f"{repository}:two", saying=UNKNOWN)


def test_a_wrong_password_is_refused(regctl_for, registry):
    regctl_for("mallory").refused(
        "registry", "login", registry.host, "-u", "jenkins", "--pass-stdin", input="guess", saying=WRONG_PASSWORD
    )


def test_alice_may_not_push_nor_delete(alice, registry, pushed, tmp_path):
    reference, image = pushed
    write_layout(tmp_path / "image", [Image("regctl-alice")], "1.0")
    target = f"{registry.host}/regctl/app:alice"
    alice.refused("image", "copy", f"ocidir://{tmp_path / 'image'}:1.0", target, saying=NOT_ALLOWED)
    alice.refused("manifest", "rm", f"{registry.host}/regctl/app@{image.digest}", saying=NOT_ALLOWED)
    alice("manifest", "head", reference)


def test_an_unknown_name_is_not_found(alice, registry):
    alice.refused("manifest", "get", f"{registry.host}/regctl/nothing:here", saying=UNKNOWN)
    alice.refused("tag", "ls", f"{registry.host}/regctl/nothing", saying=UNKNOWN)
