"""What an administrator turns off or bounds: read-only, the catalog's length, uploads left behind, validation."""

import json
import re

import pytest
from images import Image
from polling import until
from registry2 import ORIGINALS
from server import Server
from wire import Wire, sha256


WRITES = [
    ("POST", "/v2/a/blobs/uploads/"),
    ("POST", f"/v2/a/blobs/uploads/?mount={sha256(b'x')}&from=b"),
    ("PUT", "/v2/a/manifests/1"),
    ("DELETE", "/v2/a/manifests/1"),
    ("DELETE", f"/v2/a/manifests/{sha256(b'x')}"),
    ("DELETE", f"/v2/a/blobs/{sha256(b'x')}"),
]


@pytest.mark.parametrize("original", ORIGINALS)
def test_read_only_refuses_writes_as_the_original_does(tmp_path, original):
    config = {"storage": {"maintenance": {"readonly": {"enabled": True}}}}

    def refusals(make, folder):
        with make(folder, config=config) as server:
            wire = Wire(server)
            answers = [wire.call(method, target, b"{}") for method, target in WRITES]
            assert wire.call("GET", "/v2/").status == 200
            wire.close()
            return answers

    ours = refusals(Server, tmp_path / "berth")
    # The originals have no error of the API in the body.
    assert [answer.error() for answer in ours] == ["UNSUPPORTED"] * len(WRITES)
    theirs = refusals(original, tmp_path / "original")
    assert [answer.status for answer in ours] == [answer.status for answer in theirs] == [405] * len(WRITES)


def test_read_only_still_serves_pulls(tmp_path):
    image = Image("pulled")
    with Server(tmp_path) as server:
        wire = Wire(server)
        image.push(wire, "a", "1")
        wire.close()
    server.config["storage"]["maintenance"] = {"readonly": {"enabled": True}}
    server.write_config()
    with server:
        wire = Wire(server)
        assert wire.pull_manifest("a", "1").body == image.manifest
        for digest, data in image.blobs.items():
            assert wire.pull_blob("a", digest).body == data
        assert wire.call("DELETE", "/v2/a/manifests/1").headers["Allow"] == "GET, HEAD"
        wire.close()


def test_the_catalog_gives_no_more_than_it_may(tmp_path):
    with Server(tmp_path, {"catalog": {"maxentries": 3}}) as server:
        wire = Wire(server)
        names = [f"repository-{number}" for number in range(7)]
        for name in names:
            Image("catalog", layers=1).push(wire, name, "1")
        assert wire.call("GET", "/v2/_catalog?n=2").json()["repositories"] == names[:2]
        for query in ["", "?n=3", "?n=100"]:
            answer = wire.call("GET", "/v2/_catalog" + query)
            assert answer.json()["repositories"] == names[:3], query
        seen = []
        target = "/v2/_catalog"
        while target:
            answer = wire.call("GET", target)
            seen += answer.json()["repositories"]
            link = answer.headers["Link"]
            target = link and re.fullmatch(r'<([^>]+)>; rel="next"', link)[1]
        assert seen == names
        wire.close()


def purging(**settings):
    return {"storage": {"maintenance": {"uploadpurging": {"enabled": True, **settings}}}}


def begun_upload(server):
    wire = Wire(server)
    location = wire.call("PATCH", wire.begin("a"), b"half of it").headers["Location"]
    wire.close()
    return location


def status_of(server, location):
    wire = Wire(server)
    try:
        return wire.call("GET", location).status
    finally:
        wire.close()


def test_abandoned_uploads_are_purged(tmp_path):
    with Server(tmp_path, purging(age="1s", interval="100ms", dryrun=False)) as server:
        location = begun_upload(server)
        assert status_of(server, location) == 204
        until(lambda: status_of(server, location) == 404)
        until(lambda: not any((server.data / "berth/uploads").iterdir()))


def test_a_dry_run_purges_nothing(tmp_path):
    with Server(tmp_path, purging(age="1s", interval="100ms", dryrun=True)) as server:
        location = begun_upload(server)
        until(lambda: '"looked for abandoned uploads" failed=0 kept=0 removed=1' in server.log_text())
        assert status_of(server, location) == 204


def index_of(*manifests):
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": digest,
                    "size": 100,
                    "platform": {"architecture": architecture, "os": "linux"},
                }
                for digest, architecture in manifests
            ],
        }
    ).encode()


def put_index(server, body):
    wire = Wire(server)
    answer = wire.call("PUT", "/v2/a/manifests/1", body, {"Content-Type": json.loads(body)["mediaType"]})
    wire.close()
    return answer


@pytest.mark.parametrize(
    ("platforms", "missing", "status"),
    [
        ({"platforms": "all"}, "amd64", 404),
        ({"platforms": "none"}, "amd64", 201),
        ({"platforms": "list", "platformlist": [{"architecture": "amd64", "os": "linux"}]}, "amd64", 404),
        ({"platforms": "list", "platformlist": [{"architecture": "amd64", "os": "linux"}]}, "arm64", 201),
    ],
)
def test_validation_says_which_children_of_an_index_must_exist(tmp_path, platforms, missing, status):
    with Server(tmp_path, {"validation": {"manifests": {"indexes": platforms}}}) as server:
        answer = put_index(server, index_of((sha256(b"missing"), missing)))
        assert answer.status == status, answer
        assert status == 201 or answer.error() == "MANIFEST_BLOB_UNKNOWN"


def foreign_layer(wire, url):
    config = b"{}"
    wire.push_blob("a", config)
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": sha256(config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                    "digest": sha256(b"elsewhere"),
                    "size": 9,
                    "urls": [url],
                }
            ],
        }
    ).encode()


@pytest.mark.parametrize(
    ("urls", "url", "accepted"),
    [
        ({"allow": ["^https://mirror\\.example/"]}, "https://mirror.example/layer", True),
        ({"allow": ["^https://mirror\\.example/"]}, "https://elsewhere.example/layer", False),
        ({"allow": [".*"], "deny": ["secret"]}, "https://mirror.example/secret", False),
        ({}, "https://mirror.example/layer", False),
    ],
)
def test_validation_says_which_urls_foreign_layers_may_have(tmp_path, urls, url, accepted):
    with Server(tmp_path, {"validation": {"manifests": {"urls": urls}}}) as server:
        wire = Wire(server)
        body = foreign_layer(wire, url)
        answer = wire.call("PUT", "/v2/a/manifests/1", body, {"Content-Type": json.loads(body)["mediaType"]})
        assert (answer.status == 201) == accepted, answer
        if not accepted:
            assert 400 <= answer.status < 500
        wire.close()


def test_validation_can_be_turned_off(tmp_path):
    with Server(tmp_path, {"validation": {"enabled": False}}) as server:
        assert put_index(server, index_of((sha256(b"missing"), "amd64"))).status == 201
