"""A root that registry:2 has filled, served by Berth where it stands; damage, kills, and `berth fsck`."""

import json
import os
import random
import shutil
import time

import pytest
from images import Image, index_of, write_layout
from registry2 import ORIGINALS
from registry_tree import Tree, fill
from server import BINARY, Failed, Server, run
from wire import Wire, sha256

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def berth_on(folder, root, **config):
    return Server(folder, {"storage": {"filesystem": {"rootdirectory": str(root)}}, **config})


def when_done(server, seconds=60):
    """Waits until all is taken over; returns the repositories."""
    wire = Wire(server)
    deadline = time.monotonic() + seconds
    while True:
        answer = wire.call("GET", "/v2/_catalog?n=1000")
        if answer.status == 200:
            wire.close()
            return answer.json()["repositories"]
        assert answer.status == 503 and answer.error() == "UNAVAILABLE", answer
        assert "taken over" in answer.json()["errors"][0]["message"]
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() < deadline, server.log_text()
        time.sleep(0.02)


def fsck(server, *options):
    """(exit code, the report)."""
    try:
        return 0, json.loads(run([BINARY, "fsck", "--json", "--config", server.config_path, *options]))
    except Failed as failure:
        return failure.code, json.loads(failure.output[: failure.output.rindex("}") + 1])


def kinds(findings):
    return sorted(finding["kind"] for finding in findings)


def everything(wire, repositories):
    """All that a client can see: {(repository, tag or digest): (digest, bytes, media type)}."""
    seen = {}
    for name in repositories:
        for tag in wire.tags(name):
            follow(wire, name, tag, seen)
    return seen


def follow(wire, name, reference, seen):
    """What the reference stands for, and all that it names."""
    answer = wire.pull_manifest(name, reference)
    assert answer.status == 200, (name, reference, answer)
    seen[name, reference] = (answer.headers["Docker-Content-Digest"], answer.body, answer.headers["Content-Type"])
    manifest = json.loads(answer.body)
    for child in manifest.get("manifests", []):
        follow(wire, name, child["digest"], seen)
    for blob in [manifest[key] for key in ("config",) if key in manifest] + manifest.get("layers", []):
        answer = wire.pull_blob(name, blob["digest"])
        assert answer.status == 200 and sha256(answer.body) == blob["digest"], (name, blob, answer)
        seen[name, blob["digest"]] = (blob["digest"], answer.body, None)


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.__name__)
def test_all_that_the_original_served_is_served(original, client_of, tmp_path):
    crane, skopeo = client_of("crane"), client_of("skopeo")
    platforms = [Image("adoption", "amd64"), Image("adoption", "arm64")]
    with original(tmp_path / "original") as registry:
        wire = Wire(registry)
        write_layout(tmp_path / "single", [platforms[0]])
        write_layout(tmp_path / "both", platforms, "1.0")
        crane("push", "--insecure", tmp_path / "single", f"{registry.host}/single:1.0")
        crane("push", "--insecure", tmp_path / "both", f"{registry.host}/team/apps/both:1.0")
        crane("tag", "--insecure", f"{registry.host}/single:1.0", "again")
        skopeo("copy", "--insecure-policy", "--dest-tls-verify=false", "--format=v2s2",
               f"oci:{tmp_path}/single:latest", f"docker://{registry.host}/team:schema2")  # fmt: skip
        skopeo("copy", "--all", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false",
               f"docker://{registry.host}/team/apps/both:1.0", f"docker://{registry.host}/team/apps:1.0")  # fmt: skip
        # A referrer, which the original stores like any manifest, and deleted things.
        signature = Image("signature")
        signed = json.loads(signature.manifest)
        signed["subject"] = {"mediaType": signed["mediaType"], "digest": platforms[0].digest,
                             "size": len(platforms[0].manifest)}  # fmt: skip
        for data in signature.blobs.values():
            wire.push_blob("single", data)
        referrer = wire.push_manifest("single", "signature", json.dumps(signed).encode())
        gone = Image("gone")
        gone.push(wire, "single", "gone")
        assert wire.call("DELETE", f"/v2/single/manifests/{gone.digest}").status == 202
        repositories = wire.call("GET", "/v2/_catalog").json()["repositories"]
        assert repositories == ["single", "team", "team/apps", "team/apps/both"]
        before = everything(wire, repositories)
        assert before["team/apps/both", "1.0"][1] == index_of(platforms)
        assert before["team", "schema2"][2] == DOCKER_MANIFEST
        root = registry.root
    with berth_on(tmp_path / "berth", root) as berth:
        wire = Wire(berth)
        assert when_done(berth) == repositories
        assert everything(wire, repositories) == before
        assert wire.pull_manifest("single", gone.digest).status == 404
        referrers = wire.call("GET", f"/v2/single/referrers/{platforms[0].digest}").json()["manifests"]
        assert [descriptor["digest"] for descriptor in referrers] == [referrer]
        for reference in ("single:again", "team/apps/both:1.0"):
            crane("validate", "--insecure", "--remote", f"{berth.host}/{reference}")
        assert fsck(berth, "--digests")[0] == 0
        # It is a registry like any other now.
        Image("new").push(wire, "single", "new")
        assert wire.tags("single") == ["1.0", "again", "new", "signature"]
    with berth:
        assert when_done(berth, 5) == repositories
        assert "taking over" not in berth.log_text().split("stopped")[-1]


def damaged_tree(root):
    """One image for each kind of damage in the repository `app`, and a good one. {tag: image}."""
    tree = Tree(root)
    tags = ["good", "empty-manifest", "torn-manifest", "no-manifest", "empty-revision", "bad-revision", "empty-tag",
            "bad-tag", "no-layer", "empty-layer", "short-layer", "changed-layer", "empty-layer-link"]  # fmt: skip
    images = {tag: Image(f"damaged {tag}", layers=1) for tag in tags}
    for tag, image in images.items():
        tree.add_image("app", image, tag)
    image = {tag: images[tag].digest for tag in tags}
    layer = {tag: json.loads(images[tag].manifest)["layers"][0]["digest"] for tag in tags}
    tree.write(tree.blob(image["empty-manifest"]), b"")
    tree.write(tree.blob(image["torn-manifest"]), images["torn-manifest"].manifest[:100])
    shutil.rmtree(tree.blob(image["no-manifest"]).parent)
    tree.write(tree.revision_link("app", image["empty-revision"]), b"")
    tree.write(tree.revision_link("app", image["bad-revision"]), image["good"].encode())
    tree.write(tree.tag_link("app", "empty-tag"), b"")
    tree.write(tree.tag_link("app", "bad-tag"), b"sha256:abc\n")
    shutil.rmtree(tree.blob(layer["no-layer"]).parent)
    tree.write(tree.blob(layer["empty-layer"]), b"")
    tree.write(tree.blob(layer["short-layer"]), tree.blob(layer["short-layer"]).read_bytes()[:-1])
    data = bytearray(tree.blob(layer["changed-layer"]).read_bytes())
    data[10] ^= 1
    tree.write(tree.blob(layer["changed-layer"]), bytes(data))
    tree.write(tree.layer_link("app", layer["empty-layer-link"]), b"")
    tree.write(tree.blob(sha256(b"orphan")), b"orphan")
    tree.add_upload("app", "01234567-89ab-cdef-0123-456789abcdef")
    tree.write(tree.repository("Upper/case") / "_layers/sha256" / ("a" * 64) / "link", b"")
    return tree, images, layer


SERVED = {"good", "no-layer", "empty-layer", "short-layer", "changed-layer", "empty-layer-link"}
FOUND = sorted(
    ["bad-manifest", "wrong-digest", "missing-manifest", "empty-link", "bad-link", "empty-link", "bad-link"]
    + ["missing-blob", "wrong-size", "wrong-size", "empty-link", "missing-blob", "bad-name"]
    + ["missing-manifest"] * 5  # the tags on what is left out
)


def test_damage_is_reported_and_left_out_and_the_rest_is_served(tmp_path):
    tree, images, layer = damaged_tree(tmp_path / "root")
    berth = berth_on(tmp_path / "berth", tmp_path / "root")
    # Before anything is taken over the links are the truth.
    code, report = fsck(berth)
    assert code == 1
    assert kinds(report["findings"]) == FOUND
    assert not (tmp_path / "root/berth").exists(), "fsck makes nothing"
    with berth:
        assert when_done(berth) == ["app"]
        wire = Wire(berth)
        assert set(wire.tags("app")) == SERVED
        for tag in SERVED:
            assert wire.pull_manifest("app", tag).body == images[tag].manifest
        for tag in images:
            answer = wire.call("HEAD", f"/v2/app/blobs/{layer[tag]}")
            # Wrong bytes are never served; that they are wrong shows when they are read.
            wrong = {"changed-layer": 500, **dict.fromkeys(SERVED - {"good", "changed-layer"}, 404)}
            assert answer.status == wrong.get(tag, 200), tag
        log = berth.log_text(100_000)
        for kind in set(FOUND):
            assert f"finding={kind}" in log, kind
        assert f"{len(FOUND)} things in registry:2's data are damaged" in log
        # The index never had what was left out: the findings are told, and are no longer damage.
        code, report = fsck(berth)
        assert (code, report["findings"], kinds(report["leftOut"])) == (0, [], FOUND)
        assert sha256(b"orphan") in [blob["digest"] for blob in report["orphanedBlobs"]]
        assert len(report["orphanedUploads"]) == 1
        # Bytes that have changed show when they are read.
        code, report = fsck(berth, "--digests")
        assert (code, kinds(report["findings"])) == (1, ["wrong-digest"])
        # Pushed again, each is whole.
        for tag, image in images.items():
            image.push(wire, "app", tag)
        for tag, image in images.items():
            if tag == "changed-layer":
                continue
            assert wire.pull_manifest("app", tag).body == image.manifest
            for digest, data in image.blobs.items():
                assert wire.pull_blob("app", digest).body == data, tag


def test_what_has_gone_since_is_found(tmp_path):
    with Server(tmp_path / "berth") as berth:
        image = Image("gone since")
        image.push(Wire(berth), "app", "1.0")
        assert fsck(berth, "--digests") == (0, {
            "checked": {"blobs": 4, "bytes": sum(map(len, [*image.blobs.values(), image.manifest]))},
            "findings": [], "leftOut": [], "orphanedBlobs": [], "orphanedUploads": [], "removed": [],
        })  # fmt: skip
        tree = Tree(berth.data)
        digests = list(image.blobs)
        tree.blob(digests[0]).unlink()
        tree.write(tree.blob(digests[1]), b"short")
        code, report = fsck(berth)
        assert (code, kinds(report["findings"])) == (1, ["missing-blob", "wrong-size"])
        with pytest.raises(Failed, match="2 things are damaged") as failed:
            run([BINARY, "fsck", "--config", berth.config_path])
        assert "missing-blob (1)" in failed.value.output


def test_a_repair_removes_useless_links_and_old_uploads_and_only_without_a_server(tmp_path):
    root = tmp_path / "root"
    tree, _, _ = damaged_tree(root)
    old = tree.repository("app") / "_uploads/01234567-89ab-cdef-0123-456789abcdef"
    tree.add_upload("app", "11111111-89ab-cdef-0123-456789abcdef")
    for name in ("data", "startedat"):
        os.utime(old / name, (time.time() - 8 * 86400,) * 2)
    berth = berth_on(tmp_path / "berth", root)
    with berth, pytest.raises(Failed, match="stop it before --repair"):
        when_done(berth)
        run([BINARY, "fsck", "--repair", "--config", berth.config_path])
    before = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    _, report = fsck(berth, "--repair")
    after = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    gone = {path for path in before - after if not path.startswith("berth/")}
    assert gone, report
    for path in gone:
        assert path in report["removed"] or os.path.dirname(path) == str(old.relative_to(root))
    assert sorted(report["removed"])[-1] == str(old.relative_to(root))
    assert len(report["removed"]) == 5 + 1
    _, report = fsck(berth)
    assert not {"empty-link", "bad-link"} & set(kinds(report["leftOut"]))
    assert len(report["orphanedUploads"]) == 1


def test_commands_beside_say_that_it_is_not_taken_over_yet(tmp_path):
    fill(tmp_path / "root", 10, 2)
    berth = berth_on(tmp_path / "berth", tmp_path / "root")
    (tmp_path / "root/berth").mkdir()
    with pytest.raises(Failed, match="there is no registry"):
        run([BINARY, "ls", "--config", berth.config_path])
    (tmp_path / "root/berth/index.db").touch()
    with pytest.raises(Failed, match="not all taken over yet"):
        run([BINARY, "ls", "--config", berth.config_path])
    with berth:
        repositories = when_done(berth)
        assert run([BINARY, "ls", "--config", berth.config_path]).split() == repositories


MANIFESTS, REPOSITORIES = 4000, 400


def test_serves_while_it_takes_over_and_goes_on_after_each_kill(tmp_path):
    root = tmp_path / "root"
    filled = fill(root, MANIFESTS, REPOSITORIES)
    berth = berth_on(tmp_path / "berth", root, log={"accesslog": {"disabled": True}})
    chance = random.Random(5)
    names = sorted(filled)
    deleted, pushed = {}, {}
    unfinished = 0
    for kill in range(8):
        berth.start()
        wire = Wire(berth)
        # Whatever is asked for first is there, wherever the taking over is.
        for name in chance.sample(names, 5):
            tag, digest = chance.choice(sorted(filled[name].items()))
            answer = wire.pull_manifest(name, tag)
            if (name, tag) in deleted:
                assert answer.status == 404, "a deleted tag is back"
            else:
                assert answer.status == 200 and sha256(answer.body) == digest, (name, tag, answer)
        name = chance.choice(names)
        tag = chance.choice(sorted(filled[name]))
        if (name, tag) not in deleted:
            assert wire.call("DELETE", f"/v2/{name}/manifests/{tag}").status == 202
            deleted[name, tag] = True
        image = Image(f"pushed {kill}")
        repository = chance.choice([chance.choice(names), f"new/app-{kill}"])
        image.push(wire, repository, f"pushed-{kill}")
        pushed[repository, f"pushed-{kill}"] = image.digest
        unfinished += wire.call("GET", "/v2/_catalog").status == 503
        wire.close()
        berth.kill()
    assert unfinished > 0, "every kill came too late to mean anything"
    with berth:
        assert set(when_done(berth)) == {*names, *(name for name, _ in pushed)}
        wire = Wire(berth)
        expected = {(name, tag): digest for name in names for tag, digest in filled[name].items()}
        expected = {key: digest for key, digest in {**expected, **pushed}.items() if key not in deleted}
        for name in {name for name, _ in expected}:
            assert set(wire.tags(name)) == {tag for owner, tag in expected if owner == name}, name
        for (name, tag), digest in chance.sample(sorted(expected.items()), 300):
            assert sha256(wire.pull_manifest(name, tag).body) == digest
        assert fsck(berth)[0] == 0
    log = berth.log.read_text()
    assert f"taking over registry:2's data: 0 of {REPOSITORIES}" in log
    assert "registry:2's data is taken over" in log
