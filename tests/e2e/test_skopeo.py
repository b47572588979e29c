"""skopeo: copies, inspects, lists, deletes; the library containers/image, also in podman, buildah and CRI-O."""

import json

import pytest
from images import Image, index_of, write_layout
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS
from wire import sha256


def login(client, registry, user, password):
    return client(
        "login", "--cert-dir", client.certificates, "--authfile", client.auth, "-u", user, "-p", password, registry.host
    )


@pytest.fixture(scope="module")
def skopeo_for(client_of, authority):
    def make(name):
        client = client_of("skopeo", name)
        client.auth = client.folder / "auth.json"
        client.certificates = client.folder / "certificates"
        client.certificates.mkdir()
        (client.certificates / "ca.crt").write_bytes(authority.certificate.read_bytes())
        return client

    return make


@pytest.fixture(scope="module")
def skopeo(skopeo_for, registry):
    client = skopeo_for("jenkins")
    login(client, registry, "jenkins", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(skopeo_for, registry):
    client = skopeo_for("alice")
    login(client, registry, "alice", USERS["alice"])
    return client


def copy(client, source, target, *options, run=None):
    flags = ["--authfile", client.auth]
    for side, place in (("--src", source), ("--dest", target)):
        if place.startswith("docker://"):
            flags += [f"{side}-cert-dir", client.certificates, f"{side}-tls-verify=true"]
    return (run or client)("copy", *flags, *options, source, target)


def ask(client, command, reference, *options):
    return client(
        command, "--authfile", client.auth, "--cert-dir", client.certificates, "--tls-verify=true", *options, reference
    )


@pytest.fixture(scope="module")
def pushed(skopeo, registry, tmp_path_factory):
    image = Image("skopeo")
    layout = tmp_path_factory.mktemp("layout") / "image"
    write_layout(layout, [image], "1.0")
    reference = f"docker://{registry.host}/skopeo/app:1.0"
    copy(skopeo, f"oci:{layout}:1.0", reference)
    return reference, image


def test_push_and_pull_give_the_same_bytes(alice, pushed, tmp_path):
    reference, image = pushed
    copy(alice, reference, f"oci:{tmp_path / 'pulled'}:1.0")
    for digest, data in image.blobs.items():
        assert (tmp_path / "pulled/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes() == data


def test_inspects(alice, pushed):
    reference, image = pushed
    shown = json.loads(ask(alice, "inspect", reference))
    assert shown["Digest"] == image.digest
    assert shown["RepoTags"] == ["1.0"]
    assert sha256(ask(alice, "inspect", reference, "--raw").encode()) == image.digest


def test_lists_tags(alice, registry, pushed):
    assert json.loads(ask(alice, "list-tags", f"docker://{registry.host}/skopeo/app"))["Tags"] == ["1.0"]


def test_copies_between_repositories_as_docker_schema_2(skopeo, alice, registry, pushed):
    target = f"docker://{registry.host}/skopeo/schema2:1.0"
    copy(skopeo, pushed[0], target, "--format", "v2s2")
    manifest = json.loads(ask(alice, "inspect", target, "--raw"))
    assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_multi_platform_image(skopeo, alice, registry, tmp_path):
    images = [Image("skopeo", "amd64"), Image("skopeo", "arm64")]
    write_layout(tmp_path / "both", images, "1.0")
    reference = f"docker://{registry.host}/skopeo/both:1.0"
    copy(skopeo, f"oci:{tmp_path / 'both'}:1.0", reference, "--all")
    assert ask(alice, "inspect", reference, "--raw").encode() == index_of(images)
    copy(alice, reference, f"oci:{tmp_path / 'pulled'}:1.0", "--all")
    pulled = tmp_path / "pulled/blobs/sha256"
    for image in images:
        assert (pulled / image.digest.removeprefix("sha256:")).read_bytes() == image.manifest


def test_syncs_a_repository_to_a_folder(alice, registry, pushed, tmp_path):
    alice(
        "sync", "--src", "docker", "--dest", "dir", "--src-authfile", alice.auth, "--src-cert-dir", alice.certificates,
        "--src-tls-verify=true", f"{registry.host}/skopeo/app", tmp_path,
    )  # fmt: skip
    assert (tmp_path / "app:1.0/manifest.json").read_bytes() == pushed[1].manifest


def test_deletes(skopeo, alice, registry, tmp_path):
    write_layout(tmp_path / "image", [Image("skopeo-delete")], "1.0")
    reference = f"docker://{registry.host}/skopeo/deleted:1.0"
    copy(skopeo, f"oci:{tmp_path / 'image'}:1.0", reference)
    ask(skopeo, "delete", reference)
    copy(alice, reference, f"oci:{tmp_path / 'pulled'}:1.0", run=lambda *a: alice.refused(*a, saying=UNKNOWN))


def test_a_wrong_password_is_refused(skopeo_for, registry):
    client = skopeo_for("mallory")
    client.refused(
        "login", "--cert-dir", client.certificates, "--authfile", client.auth, "-u", "jenkins", "-p", "guess",
        registry.host, saying=WRONG_PASSWORD,
    )  # fmt: skip


def test_alice_may_not_push_nor_delete(alice, registry, pushed, tmp_path):
    write_layout(tmp_path / "image", [Image("skopeo-alice")], "1.0")
    target = f"docker://{registry.host}/skopeo/app:alice"
    copy(alice, f"oci:{tmp_path / 'image'}:1.0", target, run=lambda *a: alice.refused(*a, saying=NOT_ALLOWED))
    alice.refused(
        "delete", "--authfile", alice.auth, "--cert-dir", alice.certificates, pushed[0], saying=NOT_ALLOWED
    )


def test_an_unknown_name_is_not_found(alice, registry):
    for command in ("inspect", "list-tags"):
        name = f"docker://{registry.host}/skopeo/nothing" + (":here" if command == "inspect" else "")
        alice.refused(
            command, "--authfile", alice.auth, "--cert-dir", alice.certificates, name, saying=UNKNOWN
        )


def test_a_certificate_of_an_unknown_authority_is_refused(client_of, registry):
    client = client_of("skopeo", "untrusting")
    del client.environment["SSL_CERT_FILE"]
    client.refused("inspect", f"docker://{registry.host}/skopeo/app:1.0", saying="x509|certificate")
