"""berth export: the way back to registry:2 and there again, layouts and bundles."""

import json

import pytest
from images import Image
from registry2 import ORIGINALS, Registry2
from server import BINARY, Failed, Server, run
from test_import import berth_import, digest_of, expect_samples, push_samples
from wire import Wire


def berth_export(server, *options):
    return json.loads(run([BINARY, "export", "--config", server.config_path, "--json", *options]))


@pytest.fixture
def filled(tmp_path):
    """A Berth that has samples and does not run; and its tags."""
    with Server(tmp_path / "berth") as server:
        tags = push_samples(server)
    yield server, tags
    if server.process:
        server.kill()


@pytest.mark.parametrize("original", ORIGINALS)
def test_the_original_starts_on_the_same_root_and_berth_again(original, filled, client_of, tmp_path):
    server, tags = filled
    done = berth_export(server)
    assert done["tags"] == len(tags)
    pushed = Image("by the original")
    with original(tmp_path / "original", server.data) as registry:
        wire = Wire(registry)
        for (repository, tag), digest in tags.items():
            assert digest_of(wire, repository, tag) == digest
        assert digest_of(wire, "team/gone", "old") == 404
        catalog = wire.call("GET", "/v2/_catalog").json()["repositories"]
        images = {"team/app", "many/tags", "team/schema2"}
        assert images <= set(catalog) <= {*images, "team/gone"}
        crane = client_of("crane")
        crane("pull", "--insecure", f"{registry.host}/many/tags:t0001", tmp_path / "pulled.tar")
        assert crane("validate", "--insecure", "--remote", f"{registry.host}/team/app:multi")
        pushed.push(wire, "team/new", "1")
        many = Image("moved")
        many.push(wire, "many/tags", "t0000")
        wire.close()
    tags = {**tags, ("team/new", "1"): pushed.digest, ("many/tags", "t0000"): many.digest}
    with server:
        expect_samples(server, tags)
        wire = Wire(server)
        assert wire.call("DELETE", "/v2/team/new/manifests/1").status == 202
        wire.close()
    berth_export(server)
    with original(tmp_path / "again", server.data) as registry:
        wire = Wire(registry)
        assert digest_of(wire, "team/new", "1") == 404
        assert digest_of(wire, "many/tags", "t0000") == many.digest
        wire.close()


def test_500_repositories_and_2000_tags_go_there_and_back(tmp_path):
    image = Image("large")
    with Server(tmp_path / "berth") as server:
        wire = Wire(server)
        image.push(wire, "tags", "t0000")
        for number in range(1, 2000):
            wire.push_manifest("tags", f"t{number:04}", image.manifest)
        for number in range(500):
            for digest in image.blobs:
                mounted = wire.call("POST", f"/v2/r/{number}/blobs/uploads/?mount={digest}&from=tags", b"")
                assert mounted.status == 201, mounted
            wire.push_manifest(f"r/{number}", "1", image.manifest)
        wire.close()
    assert berth_export(server)["tags"] == 2500
    with Registry2(tmp_path / "original", server.data) as registry:
        wire = Wire(registry)
        assert len(wire.tags("tags")) == 2000
        assert len(wire.call("GET", "/v2/_catalog?n=1000").json()["repositories"]) == 501
        for name, tag in (("tags", "t1999"), ("r/0", "1"), ("r/499", "1")):
            assert digest_of(wire, name, tag) == image.digest
        assert wire.call("DELETE", f"/v2/r/7/manifests/{image.digest}").status == 202
        wire.close()
    with server:
        wire = Wire(server)
        assert digest_of(wire, "tags", "t1999") == image.digest  # it waits for its repository
        assert digest_of(wire, "r/7", "1") == 404
        assert digest_of(wire, "r/499", "1") == image.digest
        wire.close()


def test_in_place_it_refuses_while_a_server_runs(filled):
    server, _ = filled
    with server, pytest.raises(Failed, match="stop it first"):
        berth_export(server)
    with pytest.raises(Failed, match="--to"):
        berth_export(server, "team/app")


def test_another_root_serves_what_was_chosen(filled, tmp_path):
    server, tags = filled
    berth_export(server, "many/tags", "--to", tmp_path / "other")
    berth_export(server, "--to", tmp_path / "other")
    with Registry2(tmp_path / "original", tmp_path / "other") as registry:
        wire = Wire(registry)
        for (repository, tag), digest in tags.items():
            assert digest_of(wire, repository, tag) == digest
        wire.close()


def test_skopeo_and_crane_read_the_layout(filled, client_of, tmp_path):
    server, tags = filled
    berth_export(server, "--format", "oci", "--to", tmp_path / "layout", "team/app", "many/tags:t0003")
    skopeo = client_of("skopeo")
    shown = json.loads(skopeo("inspect", "--raw", f"oci:{tmp_path / 'layout'}:team/app:multi"))
    assert len(shown["manifests"]) == 2
    skopeo("copy", f"oci:{tmp_path / 'layout'}:many/tags:t0003", f"dir:{tmp_path / 'copied'}")
    berth_export(server, "--format", "oci", "--to", tmp_path / "layout.tar")
    with Server(tmp_path / "there") as there:
        pass
    berth_import(there, tmp_path / "layout.tar")
    with there:
        expect_samples(there, tags)


def test_a_bundle_and_the_next_one(filled, tmp_path):
    server, tags = filled
    first, second = tmp_path / "first.bundle", tmp_path / "second.bundle"
    berth_export(server, "--format", "bundle", "--to", first)
    newer = Image("newer")
    with server:
        wire = Wire(server)
        newer.push(wire, "team/app", "newer")
        wire.close()
    done = berth_export(server, "--format", "bundle", "--to", second, "--since", first)
    assert done["leftOut"] > 0 and second.stat().st_size < first.stat().st_size + 40_000
    with pytest.raises(Failed, match="is there already"):
        berth_export(server, "--format", "bundle", "--to", first)
    there = Server(tmp_path / "there")
    with pytest.raises(Failed, match="leaves out blobs"):
        berth_import(there, second)
    berth_import(there, first)
    berth_import(there, f"bundle:{second}")
    with there:
        expect_samples(there, {**tags, ("team/app", "newer"): newer.digest})


def test_a_bundle_with_a_wrong_byte_or_cut_short_is_refused(filled, tmp_path):
    server, _ = filled
    berth_export(server, "--format", "bundle", "--to", tmp_path / "whole")
    content = bytearray((tmp_path / "whole").read_bytes())
    layer = next(iter(Image("import", "amd64").blobs.values()))
    content[content.index(layer) + 100] ^= 0xFF
    (tmp_path / "wrong").write_bytes(content)
    (tmp_path / "short").write_bytes(content[: len(content) // 2])
    there = Server(tmp_path / "there")
    with pytest.raises(Failed, match="could not be brought in"):
        berth_import(there, f"bundle:{tmp_path / 'wrong'}")
    with pytest.raises(Failed, match="cut short|cannot be read|is not"):
        berth_import(there, f"bundle:{tmp_path / 'short'}")
    with there:
        wire = Wire(there)
        assert digest_of(wire, "team/app", "multi") == 404
        assert digest_of(wire, "many/tags", "t0000") == Image("many").digest
        wire.close()
