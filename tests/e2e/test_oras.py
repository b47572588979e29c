"""oras: artifacts of any kind, attached to images and found again by the referrers API."""

import json

import pytest
from images import Image, noise, write_layout
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS


@pytest.fixture(scope="module")
def oras_for(client_of, authority):
    return lambda name: client_of("oras", name)


def login(client, registry, user, password):
    return client("login", registry.host, "-u", user, "--password-stdin", input=password)


@pytest.fixture(scope="module")
def oras(oras_for, registry):
    client = oras_for("jenkins")
    login(client, registry, "jenkins", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(oras_for, registry):
    client = oras_for("alice")
    login(client, registry, "alice", USERS["alice"])
    return client


@pytest.fixture(scope="module")
def pushed(oras, registry):
    """An artifact of two files: its reference and its digest."""
    for name in ("one", "two"):
        (oras.folder / f"{name}.txt").write_bytes(noise(f"oras {name}", 3000))
    reference = f"{registry.host}/oras/app:1.0"
    oras("push", reference, "--artifact-type", "application/vnd.test.thing", "one.txt:text/plain", "two.txt")
    return reference, oras("resolve", reference).strip()


def test_pulls_what_was_pushed(alice, pushed, tmp_path):
    alice("pull", pushed[0], "-o", tmp_path)
    assert (tmp_path / "one.txt").read_bytes() == noise("oras one", 3000)
    assert (tmp_path / "two.txt").read_bytes() == noise("oras two", 3000)
    manifest = json.loads(alice("manifest", "fetch", pushed[0]))
    assert manifest["artifactType"] == "application/vnd.test.thing"


def test_attaches_and_finds_referrers(oras, alice, registry, pushed):
    reference, _ = pushed
    for kind in ("sbom", "scan"):
        (oras.folder / f"{kind}.json").write_text(json.dumps({"kind": kind}))
        oras("attach", reference, "--artifact-type", f"application/vnd.test.{kind}", f"{kind}.json:application/json")
    found = json.loads(alice("discover", "--format", "json", "--distribution-spec", "v1.1-referrers-api", reference))
    kinds = {entry["artifactType"] for entry in found["referrers"]}
    assert kinds == {"application/vnd.test.sbom", "application/vnd.test.scan"}
    only = json.loads(
        alice("discover", "--format", "json", "--artifact-type", "application/vnd.test.sbom", reference)
    )
    assert [entry["artifactType"] for entry in only["referrers"]] == ["application/vnd.test.sbom"]
    # No client had to fall back to the referrers tag of registries without that API.
    assert not [tag for tag in alice("repo", "tags", f"{registry.host}/oras/app").split() if tag.startswith("sha256-")]


def test_copies_an_image_with_its_referrers(oras, alice, registry, pushed):
    source = f"{registry.host}/oras/source:1.0"
    (oras.folder / "source.txt").write_text("source")
    oras("push", source, "--artifact-type", "application/vnd.test.thing", "source.txt")
    (oras.folder / "note.txt").write_text("note")
    oras("attach", source, "--artifact-type", "application/vnd.test.note", "note.txt")
    target = f"{registry.host}/oras/target:1.0"
    oras("cp", "-r", source, target)
    found = json.loads(alice("discover", "--format", "json", target))
    assert [entry["artifactType"] for entry in found["referrers"]] == ["application/vnd.test.note"]


def test_lists_repositories_and_tags(oras, alice, registry, pushed):
    oras("tag", pushed[0], "1.1", "latest")
    assert alice("repo", "tags", f"{registry.host}/oras/app").split() == ["1.0", "1.1", "latest"]
    assert "oras/app" in alice("repo", "ls", registry.host).split()
    assert alice("repo", "ls", f"{registry.host}/oras/").split().count("app") == 1


def test_multi_platform_image(oras, alice, registry, tmp_path):
    repository = f"{registry.host}/oras/both"
    images = [Image("oras", "amd64"), Image("oras", "arm64")]
    for image in images:
        architecture = image.platform["architecture"]
        write_layout(tmp_path / architecture, [image], architecture)
        oras("cp", "--from-oci-layout", f"{tmp_path / architecture}:{architecture}", f"{repository}:{architecture}")
    oras("manifest", "index", "create", f"{repository}:1.0", "amd64", "arm64")
    assert len(json.loads(alice("manifest", "fetch", f"{repository}:1.0"))["manifests"]) == 2
    for image in images:
        platform = "linux/" + image.platform["architecture"]
        assert alice("resolve", "--platform", platform, f"{repository}:1.0").strip() == image.digest


def test_blobs_alone(oras, alice, registry, tmp_path):
    (tmp_path / "blob").write_bytes(noise("oras blob", 100_000))
    repository = f"{registry.host}/oras/blobs"
    digest = json.loads(oras("blob", "push", "--descriptor", repository, tmp_path / "blob"))["digest"]
    alice("blob", "fetch", f"{repository}@{digest}", "-o", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == noise("oras blob", 100_000)
    oras("blob", "delete", "-f", f"{repository}@{digest}")
    alice.refused("blob", "fetch", f"{repository}@{digest}", "-o", tmp_path / "gone", saying=UNKNOWN)


def test_deletes_a_manifest(oras, alice, registry):
    reference = f"{registry.host}/oras/deleted:1.0"
    (oras.folder / "deleted.txt").write_text("deleted")
    oras("push", reference, "deleted.txt")
    oras("manifest", "delete", "-f", reference)
    alice.refused("resolve", reference, saying=UNKNOWN)


def test_a_wrong_password_is_refused(oras_for, registry):
    oras_for("mallory").refused(
        "login", registry.host, "-u", "jenkins", "--password-stdin", input="guess", saying=WRONG_PASSWORD
    )


def test_alice_may_not_push_attach_nor_delete(alice, registry, pushed):
    (alice.folder / "mine.txt").write_text("mine")
    alice.refused("push", f"{registry.host}/oras/app:alice", "mine.txt", saying=NOT_ALLOWED)
    alice.refused("attach", pushed[0], "--artifact-type", "a/b", "mine.txt", saying=NOT_ALLOWED)
    alice.refused("manifest", "delete", "-f", pushed[0], saying=NOT_ALLOWED)


def test_an_unknown_name_is_not_found(alice, registry):
    alice.refused("pull", f"{registry.host}/oras/nothing:here", saying=UNKNOWN)
    alice.refused("repo", "tags", f"{registry.host}/oras/nothing", saying=UNKNOWN)
