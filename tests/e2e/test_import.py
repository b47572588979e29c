"""berth import: other roots, layouts, docker save, other registries; again, and after it was killed."""

import json
import os
import signal
import subprocess
import time

import pytest
from flaky_registry import FlakyRegistry
from images import Image, index_of, write_layout
from registry2 import ORIGINALS, Distribution3, Registry2
from server import BINARY, USERS, Failed, Server, run, write_htpasswd
from wire import MANIFEST_TYPES, Wire, sha256


def berth_import(server, source, *options):
    """Into the root of a server that does not run; what was done."""
    return json.loads(run([BINARY, "import", source, "--config", server.config_path, "--json", *options]))


def signature(image):
    """An artifact that refers to the image."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/vnd.example.signature",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(b"{}"), "size": 2},
            "layers": [],
            "subject": {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": image.digest,
                "size": len(image.manifest),
            },
        }
    ).encode()


def docker_image(image):
    """Its manifest as Docker's schema 2."""
    text = image.manifest.decode()
    for oci, docker in (
        ("vnd.oci.image.manifest.v1+json", "vnd.docker.distribution.manifest.v2+json"),
        ("vnd.oci.image.config.v1+json", "vnd.docker.container.image.v1+json"),
        ("vnd.oci.image.layer.v1.tar+gzip", "vnd.docker.image.rootfs.diff.tar.gzip"),
    ):
        text = text.replace(oci, docker)
    return text.encode()


def push_samples(server):
    """Single and multi-platform images, a referrer, many tags, a deleted one. Returns {(repository, tag): digest}."""
    wire = Wire(server)
    tags = {}
    images = [Image("import", "amd64"), Image("import", "arm64")]
    for image in images:
        image.push(wire, "team/app", image.digest)
    tags["team/app", "multi"] = sha256(index_of(images))
    wire.push_manifest("team/app", "multi", index_of(images))
    wire.push_blob("team/app", b"{}")
    wire.push_manifest("team/app", sha256(signature(images[0])), signature(images[0]))
    many = Image("many")
    many.push(wire, "many/tags", "t0000")
    for number in range(1, 300):
        wire.push_manifest("many/tags", f"t{number:04}", many.manifest)
    tags.update({("many/tags", f"t{number:04}"): many.digest for number in range(300)})
    schema2 = docker_image(many)
    for data in many.blobs.values():
        wire.push_blob("team/schema2", data)
    tags["team/schema2", "1"] = wire.push_manifest("team/schema2", "1", schema2)
    gone = Image("gone")
    gone.push(wire, "team/gone", "old")
    assert wire.call("DELETE", f"/v2/team/gone/manifests/{gone.digest}").status == 202
    wire.close()
    return tags


def digest_of(wire, repository, tag):
    answer = wire.call("HEAD", f"/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST_TYPES})
    return answer.headers["Docker-Content-Digest"] if answer.status == 200 else answer.status


def expect_samples(server, tags):
    wire = Wire(server)
    for (repository, tag), digest in tags.items():
        assert digest_of(wire, repository, tag) == digest
    image = Image("import", "amd64")
    for digest, data in image.blobs.items():
        assert wire.call("GET", f"/v2/team/app/blobs/{digest}").body == data
    referrers = wire.call("GET", f"/v2/team/app/referrers/{image.digest}").json()["manifests"]
    assert [each["digest"] for each in referrers] == [sha256(signature(image))]
    assert digest_of(wire, "team/gone", "old") == 404
    wire.close()


@pytest.fixture
def target(tmp_path):
    server = Server(tmp_path / "berth")
    yield server
    if server.process:
        server.kill()


@pytest.mark.parametrize("original", ORIGINALS)
def test_another_root_comes_in_without_a_copy(original, target, tmp_path):
    with original(tmp_path / "original") as registry:
        tags = push_samples(registry)
    done = berth_import(target, registry.root)
    assert done["tags"] == len(tags) and done["problems"] == []
    assert done["blobsShared"] == done["blobs"] > 0
    blob = next(iter(Image("import", "amd64").blobs)).removeprefix("sha256:")
    path = f"docker/registry/v2/blobs/sha256/{blob[:2]}/{blob}/data"
    if run(["stat", "-f", "-c", "%T", target.data]).strip() not in ("btrfs", "xfs"):  # those clone
        assert os.path.samefile(target.data / path, registry.root / path)
    again = berth_import(target, f"registry:{registry.root}")
    assert again["manifests"] == again["blobs"] == again["tags"] == 0
    with target:
        expect_samples(target, tags)


def test_a_root_of_berth_comes_in(target, tmp_path):
    with Server(tmp_path / "other") as other:
        tags = push_samples(other)
        with pytest.raises(Failed, match="another berth holds"):
            berth_import(target, other.data)
    berth_import(target, other.data)
    with target:
        expect_samples(target, tags)


def test_a_broken_root_gives_what_is_whole(target, tmp_path):
    with Registry2(tmp_path / "original") as registry:
        wire = Wire(registry)
        good, bad = Image("good"), Image("bad")
        good.push(wire, "team/app", "good")
        bad.push(wire, "team/app", "bad")
        wire.close()
    lost = (set(bad.blobs) - set(good.blobs)).pop().removeprefix("sha256:")
    (registry.root / f"docker/registry/v2/blobs/sha256/{lost[:2]}/{lost}/data").write_bytes(b"")
    with pytest.raises(Failed) as failure:
        berth_import(target, registry.root)
    assert lost in failure.value.output
    with target:
        wire = Wire(target)
        assert digest_of(wire, "team/app", "good") == good.digest
        assert digest_of(wire, "team/app", "bad") == 404
        wire.close()


@pytest.mark.parametrize("source", ["plain", "basic"])
def test_a_registry_over_the_network(source, target, tmp_path):
    with Distribution3(tmp_path / "fill") as registry:
        tags = push_samples(registry)
    config, options = {}, []
    if source == "basic":
        htpasswd = write_htpasswd(tmp_path / "htpasswd")
        config = {"auth": {"htpasswd": {"realm": "r", "path": str(htpasswd)}}}
        (tmp_path / "password").write_text(USERS["alice"] + "\n")
        options = ["--user", "alice", "--password-file", tmp_path / "password"]
    with Distribution3(tmp_path / "serve", registry.root, config) as registry:
        address = f"docker://{registry.host}"
        if source == "basic":
            with pytest.raises(Failed, match="wants a login"):
                berth_import(target, address, "--plain-http")
            (tmp_path / "wrong").write_text("wrong")
            with pytest.raises(Failed, match="does not accept the login"):
                berth_import(target, address, "--plain-http", "--user", "a", "--password-file", tmp_path / "wrong")
        berth_import(target, address, "--plain-http", *options, "--repository", "many/tags:t0007")
        done = berth_import(target, address, "--plain-http", *options)
        assert done["tagsPresent"] == 1 and done["tags"] == len(tags) - 1
    with target:
        wire = Wire(target)
        for (repository, tag), digest in tags.items():
            assert digest_of(wire, repository, tag) == digest
        wire.close()


def test_a_berth_over_tls_with_tokens_of_its_own_kind(target, registry, jenkins, authority, tmp_path):
    image = Image("remote")
    image.push(jenkins, "remote/app", "1")
    artifact = signature(image)
    jenkins.push_blob("remote/app", b"{}")
    jenkins.push_manifest("remote/app", sha256(artifact), artifact)
    (tmp_path / "password").write_text(USERS["jenkins"])
    berth_import(
        target, f"https://{registry.host}/remote", "--ca", authority.certificate, "--user", "jenkins",
        "--password-file", tmp_path / "password",
    )  # fmt: skip
    with target:
        wire = Wire(target)
        assert digest_of(wire, "remote/app", "1") == image.digest
        referrers = wire.call("GET", f"/v2/remote/app/referrers/{image.digest}").json()["manifests"]
        assert [each["digest"] for each in referrers] == [sha256(artifact)]
        wire.close()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_busy_registry_with_tokens_that_breaks_blobs_off(ranges, target, tmp_path):
    image = Image("flaky", size=6000)
    (tmp_path / "password").write_text("secret")
    with FlakyRegistry(image, "team/app", "1", "ci", "secret", ranges=ranges) as registry:
        login = ["--user", "ci", "--password-file", tmp_path / "password"]
        done = berth_import(target, f"docker://{registry.host}", "--plain-http", *login)
        assert done["blobs"] == 3 and done["problems"] == []
        assert {"registry:catalog:*", "repository:team/app:pull"} == registry.scopes
        asked = [span for _, path, span in registry.calls if "/blobs/" in path]
        assert "bytes=2000-" in asked
        berth_import(target, f"docker://{registry.host}", "--plain-http", *login)
        assert asked == [span for _, path, span in registry.calls if "/blobs/" in path]
    with target:
        wire = Wire(target)
        for digest, data in image.blobs.items():
            assert wire.pull_blob("team/app", digest).body == data
        wire.close()


def test_a_registry_without_tls_must_be_asked_for(target):
    with pytest.raises(Failed, match="--plain-http"):
        berth_import(target, "http://127.0.0.1:1")


def test_docker_save_and_layouts_by_skopeo(target, client_of, tmp_path):
    skopeo = client_of("skopeo")
    image = Image("saved")
    write_layout(tmp_path / "layout", [image], "1.0")
    archive = tmp_path / "saved.tar"
    skopeo("copy", f"oci:{tmp_path / 'layout'}:1.0", f"docker-archive:{archive}:example.org/team/saved:1")
    berth_import(target, archive)
    berth_import(target, f"oci:{tmp_path / 'layout'}:team/layout")
    run(["tar", "-cf", tmp_path / "layout.tar", "-C", tmp_path / "layout", "."])
    assert berth_import(target, f"oci:{tmp_path / 'layout.tar'}:team/tarred")["blobsPresent"] == 3
    with pytest.raises(Failed, match="oci:PATH:REPOSITORY"):
        berth_import(target, tmp_path / "layout")
    with target:
        wire = Wire(target)
        for repository in ("team/layout", "team/tarred"):
            assert digest_of(wire, repository, "1.0") == image.digest
        wire.close()
        crane = client_of("crane")
        config = json.loads(crane("config", "--insecure", f"{target.host}/team/saved:1"))
        assert config["os"] == "linux" and len(config["rootfs"]["diff_ids"]) == 2
        crane("pull", "--insecure", f"{target.host}/team/saved:1", tmp_path / "pulled.tar")


def test_a_server_must_be_stopped_first(target, tmp_path):
    write_layout(tmp_path / "layout", [Image("x")], "1")
    with target:
        with pytest.raises(Failed, match="stop it first"):
            berth_import(target, f"oci:{tmp_path / 'layout'}:a")


def test_killed_in_the_middle_it_goes_on(target, tmp_path):
    with Registry2(tmp_path / "original") as registry:
        wire = Wire(registry)
        images = [Image(("kill", number), layers=2, size=50_000) for number in range(60)]
        for number, image in enumerate(images):
            image.push(wire, f"kill/r{number % 6}", f"t{number}")
        wire.close()
    command = [str(BINARY), "import", str(registry.root), "--config", str(target.config_path), "--jobs", "2"]
    for pause in (0.02, 0.06, 0.1, 0.15):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + pause
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert berth_import(target, registry.root)["problems"] == []
    with target:
        wire = Wire(target)
        for number, image in enumerate(images):
            assert digest_of(wire, f"kill/r{number % 6}", f"t{number}") == image.digest
        wire.close()
