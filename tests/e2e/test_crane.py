"""crane, go-containerregistry's client: also stands for ko, kaniko and everything else built on that library."""

import hashlib
import json

import pytest
from images import Image, tar, write_layout
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS


@pytest.fixture(scope="module")
def crane(client_of, registry):
    client = client_of("crane")
    client("auth", "login", registry.host, "-u", "jenkins", "-p", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(client_of, registry):
    client = client_of("crane", "alice")
    client("auth", "login", registry.host, "-u", "alice", "-p", USERS["alice"])
    return client


@pytest.fixture(scope="module")
def pushed(crane, registry, tmp_path_factory):
    """An image that is there: its reference and its digest."""
    image = Image("crane")
    layout = tmp_path_factory.mktemp("layout") / "image"
    write_layout(layout, [image])
    reference = f"{registry.host}/crane/app:1.0"
    crane("push", layout, reference)
    return reference, image


def test_push_and_pull_give_the_same_bytes(crane, alice, pushed, tmp_path):
    reference, image = pushed
    assert crane("digest", reference).strip() == image.digest
    assert alice("manifest", reference).encode().rstrip() == image.manifest
    alice("pull", "--format=oci", reference, tmp_path / "pulled")
    for digest, data in image.blobs.items():
        assert (tmp_path / "pulled/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes() == data
    alice("validate", "--remote", reference)


def test_lists_tags_and_repositories(crane, alice, registry, pushed):
    reference, _ = pushed
    crane("tag", reference, "also")
    assert alice("ls", f"{registry.host}/crane/app").split() == ["1.0", "also"]
    assert "crane/app" in alice("catalog", registry.host).split()


def test_copies_to_another_repository(crane, registry, pushed):
    reference, image = pushed
    copy = f"{registry.host}/crane/copy:1.0"
    crane("copy", reference, copy)
    assert crane("digest", copy).strip() == image.digest


def test_multi_platform_image(crane, alice, registry, tmp_path):
    images = [Image("crane", "amd64"), Image("crane", "arm64")]
    repository = f"{registry.host}/crane/both"
    parts = []
    for image in images:
        architecture = image.platform["architecture"]
        write_layout(tmp_path / architecture, [image])
        crane("push", tmp_path / architecture, f"{repository}:{architecture}")
        parts += ["-m", f"{repository}:{architecture}"]
    reference = f"{repository}:1.0"
    crane("index", "append", *parts, "-t", reference)
    assert len(json.loads(alice("manifest", reference))["manifests"]) == 2
    for image in images:
        platform = "linux/" + image.platform["architecture"]
        assert alice("digest", "--platform", platform, reference).strip() == image.digest


def test_appends_a_layer_to_an_image_that_is_there(crane, registry, pushed, tmp_path):
    reference, image = pushed
    layer = tmp_path / "layer.tar"
    layer.write_bytes(tar({"more": b"more\n"}))
    crane("append", "-b", reference, "-f", layer, "-t", f"{registry.host}/crane/app:more")
    manifest = json.loads(crane("manifest", f"{registry.host}/crane/app:more"))
    assert len(manifest["layers"]) == 3


def test_pulls_one_blob(alice, registry, pushed):
    _, image = pushed
    digest = json.loads(image.manifest)["config"]["digest"]
    content = alice("blob", f"{registry.host}/crane/app@{digest}").encode()
    assert "sha256:" + hashlib.sha256(content).hexdigest() == digest


def test_deletes_a_tag_and_then_the_image(crane, alice, registry, tmp_path):
    image = Image("crane-delete")
    write_layout(tmp_path / "image", [image])
    repository = f"{registry.host}/crane/deleted"
    crane("push", tmp_path / "image", f"{repository}:one")
    crane("tag", f"{repository}:one", "two")
    crane("delete", f"{repository}:one")
    alice.refused("digest", f"{repository}:one", saying=UNKNOWN)
    assert alice("digest", f"{repository}:two").strip() == image.digest
    crane("delete", f"{repository}@{image.digest}")
    alice.refused("digest", f"{repository}:two", saying=UNKNOWN)


def test_a_wrong_password_is_refused(client_of, registry, pushed):
    client = client_of("crane", "mallory")
    client("auth", "login", registry.host, "-u", "jenkins", "-p", "guess")
    client.refused("manifest", pushed[0], saying=WRONG_PASSWORD)


def test_nobody_pulls_without_logging_in(client_of, pushed):
    client_of("crane", "nobody").refused("manifest", pushed[0], saying=WRONG_PASSWORD)


def test_alice_may_not_push_nor_delete(alice, registry, pushed, tmp_path):
    write_layout(tmp_path / "image", [Image("crane-alice")])
    alice.refused("push", tmp_path / "image", f"{registry.host}/crane/app:alice", saying=NOT_ALLOWED)
    alice.refused("delete", pushed[0], saying=NOT_ALLOWED)
    alice("digest", pushed[0])


def test_an_unknown_name_is_not_found(alice, registry):
    alice.refused("manifest", f"{registry.host}/crane/nothing:here", saying=UNKNOWN)
    alice.refused("ls", f"{registry.host}/crane/nothing", saying=UNKNOWN)
