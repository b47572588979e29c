"""The same session against registry:2 and against Berth, compared call by call: status and the fields that clients go by.

What differs on purpose stands in DIFFERENCES, each with its reason in docs/design/0004-differences.md; a difference that
no longer shows is an error too.
"""

import json
import re
from fnmatch import fnmatchcase

import pytest
from docker_daemon import docker_archive, docker_daemon
from images import CONFIG, Image, index_of, noise, write_layout
from recorder import Recorder
from registry2 import Distribution3, Registry2
from server import ROOT, Server
from wire import MANIFEST_TYPES, Wire, sha256, with_query

# What the document calls it: [(field or "status", the calls), …]
NOT_FOUND = "GET /v2/Upper/Case/tags/list", "PUT /v2/*/manifests/.bad", "GET /v2/wire/app/manifests/ttt*"
PLAIN_TEXT = *NOT_FOUND, "GET /v2/wire/app/nowhere", "POST /v2/wire/app/tags/list", "GET *999999-"
DIFFERENCES = {
    "JSON without a charset": [("Content-Type", ["*"])],
    "Errors in the spec's format": [("Content-Type", PLAIN_TEXT), ("X-Content-Type-Options", PLAIN_TEXT)],
    "A name that is none": [("status", NOT_FOUND)],
    "Tags can be deleted": [(field, ["DELETE /v2/wire/app/manifests/2.0"]) for field in ("status", "Content-Length")],
    "A cancelled upload": [("Docker-Upload-Uuid", ["DELETE /v2/*/blobs/uploads/{uuid}"])],
    "Blobs never change": [("Cache-Control", ["* /v2/*/blobs/sha256:*"])],
    "A range that does not fit": [(field, ["GET *999999-"]) for field in ("Accept-Ranges", "Etag")],
    "Not modified": [(field, ["GET /v2/wire/app/manifests/1.0"]) for field in ("Docker-Content-Digest", "Etag")],
    "Tags in pages": [(field, ["GET /v2/wire/app/tags/list[?]n=1"]) for field in ("Content-Length", "Link")],
    "What a path allows": [("Allow", ["POST /v2/*/tags/list"])],
    "A manifest without its blobs": [("status", ["PUT /v2/wire/app/manifests/missing"])],
    "A type that is no manifest's": [("status", ["PUT /v2/wire/app/manifests/unknown-type"])],
}


def session_of_wire(recorder):
    """What no client does, and what all of them do, one call at a time."""
    wire = Wire(recorder)
    image, other = Image("parity"), Image("parity", "arm64")
    image.push(wire, "wire/app", "1.0")
    image.push(wire, "wire/app", "2.0")
    other.push(wire, "wire/app", other.digest)
    index = index_of([image, other])
    wire.push_manifest("wire/app", "both", index)
    accept = {"Accept": MANIFEST_TYPES}
    for method in ("GET", "HEAD"):
        for reference in ("1.0", image.digest, "both", "nothing", sha256(b"nothing")):
            wire.call(method, f"/v2/wire/app/manifests/{reference}", headers=accept)
        for digest in (*image.blobs, sha256(b"nothing")):
            wire.call(method, f"/v2/wire/app/blobs/{digest}")
        wire.call(method, "/v2/wire/nothing/manifests/1.0", headers=accept)
    wire.call("GET", "/v2/")
    wire.call("GET", "/v2/wire/app/tags/list")
    wire.call("GET", "/v2/wire/app/tags/list?n=1")
    wire.call("GET", "/v2/wire/nothing/tags/list")
    wire.call("GET", "/v2/_catalog")
    wire.call("GET", "/v2/_catalog?n=1")
    wire.call("GET", "/v2/wire/app/manifests/1.0", headers={**accept, "If-None-Match": f'"{image.digest}"'})
    blob = next(iter(image.blobs))
    for bounds in ("0-9", "10-", "-5", "999999-"):
        wire.call("GET", f"/v2/wire/app/blobs/{blob}?{bounds}", headers={"Range": f"bytes={bounds}"})

    # An upload in pieces, looked at in between, at the wrong place, given up.
    data = noise("pieces", 3000)
    location = wire.begin("wire/pieces")
    kind = {"Content-Type": "application/octet-stream"}
    answer = wire.call("PATCH", location, data[:1000], {**kind, "Content-Range": "0-999"})
    wire.call("GET", answer.headers["Location"])
    answer = wire.call("PATCH", answer.headers["Location"], data[1000:2000], {**kind, "Content-Range": "1000-1999"})
    answer = wire.call("PUT", with_query(answer.headers["Location"], digest=sha256(data)), data[2000:], kind)
    wire.call("DELETE", wire.begin("wire/given-up"))
    wire.call("PUT", with_query(wire.begin("wire/wrong"), digest=sha256(b"other")), b"bytes", kind)
    wire.call("PUT", with_query(wire.begin("wire/unread"), digest="sha256:no"), b"bytes", kind)
    wire.call("GET", "/v2/wire/gone/blobs/uploads/6b3c9a93-af5d-473f-a4cc-9710022183cd")

    # Mounts.
    wire.call("POST", f"/v2/wire/mounted/blobs/uploads/?mount={blob}&from=wire/app", b"")
    wire.call("POST", f"/v2/wire/mounted/blobs/uploads/?mount={sha256(b'nothing')}&from=wire/app", b"")

    # Manifests that are none.
    missing = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}
    missing["config"] = {"mediaType": CONFIG, "digest": sha256(b"missing"), "size": 7}
    oci = {"Content-Type": missing["mediaType"]}
    wire.call("PUT", "/v2/wire/app/manifests/missing", json.dumps(missing).encode(), oci)
    wire.call("PUT", "/v2/wire/app/manifests/broken", b"{", oci)
    wire.call("PUT", "/v2/wire/app/manifests/unknown-type", b"{}", {"Content-Type": "text/plain"})
    wire.call("PUT", f"/v2/wire/app/manifests/{sha256(b'other')}", image.manifest, oci)
    wire.call("PUT", "/v2/wire/app/manifests/.bad", image.manifest, oci)

    # Names and methods.
    wire.call("GET", "/v2/Upper/Case/tags/list")
    wire.call("GET", "/v2/wire/app/manifests/" + "t" * 129, headers=accept)
    wire.call("GET", "/v2/wire/app/blobs/sha256:short")
    wire.call("POST", "/v2/wire/app/tags/list", b"")
    wire.call("GET", "/v2/wire/app/nowhere")

    # Deletes.
    wire.call("DELETE", "/v2/wire/app/manifests/2.0")
    wire.call("DELETE", f"/v2/wire/app/manifests/{image.digest}")
    wire.call("DELETE", f"/v2/wire/app/manifests/{image.digest}?again")
    wire.call("GET", "/v2/wire/app/manifests/1.0?deleted", headers=accept)
    wire.call("DELETE", f"/v2/wire/app/blobs/{blob}")
    wire.call("DELETE", f"/v2/wire/app/blobs/{blob}?again")
    wire.call("GET", f"/v2/wire/app/blobs/{blob}?deleted")
    wire.close()


def session_of_crane(recorder, client_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crane-session")
    crane = client_of("crane")
    images = [Image("crane-parity", "amd64"), Image("crane-parity", "arm64")]
    repository = f"{recorder.host}/crane/app"
    for image in images:
        architecture = image.platform["architecture"]
        write_layout(folder / architecture, [image])
        crane("push", folder / architecture, f"{repository}:{architecture}")
    crane("index", "append", "-m", f"{repository}:amd64", "-m", f"{repository}:arm64", "-t", f"{repository}:1.0")
    crane("tag", f"{repository}:1.0", "also")
    crane("copy", f"{repository}:1.0", f"{recorder.host}/crane/copy:1.0")
    crane("digest", f"{repository}:1.0")
    crane("manifest", f"{repository}:1.0")
    crane("pull", "--platform", "linux/arm64", "--format=oci", f"{repository}:1.0", folder / "pulled")
    crane("ls", repository)
    crane("catalog", recorder.host)
    crane.refused("manifest", f"{repository}:nothing", saying="MANIFEST_UNKNOWN")
    crane("delete", f"{repository}@{images[0].digest}")


def session_of_skopeo(recorder, client_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("skopeo-session")
    skopeo = client_of("skopeo")
    plain = ["--src-tls-verify=false"], ["--dest-tls-verify=false"]
    image = Image("skopeo-parity")
    write_layout(folder / "image", [image])
    reference = f"docker://{recorder.host}/skopeo/app:1.0"
    skopeo("copy", *plain[1], f"oci:{folder / 'image'}", reference)
    skopeo("copy", *plain[1], "--format=v2s2", f"oci:{folder / 'image'}", f"{reference}-v2s2")
    skopeo("inspect", "--tls-verify=false", reference)
    skopeo("list-tags", "--tls-verify=false", f"docker://{recorder.host}/skopeo/app")
    skopeo("copy", *plain[0], reference, f"dir:{folder / 'pulled'}")
    skopeo("delete", "--tls-verify=false", f"{reference}-v2s2")


def session_of_docker(recorder, client_of, authority, tmp_path_factory):
    """With a daemon of its own: it remembers what it has pushed where."""
    with docker_daemon(tmp_path_factory.mktemp("d"), authority) as socket:
        act_with_docker(recorder, client_of("docker", prefix=["-H", socket]))


def act_with_docker(recorder, docker):
    reference = f"{recorder.host}/docker/app:1.0"
    archive = docker.folder / "image.tar"
    archive.write_bytes(docker_archive(reference, "docker-parity"))
    docker("load", "-i", archive)
    docker("push", reference)
    copy = f"{recorder.host}/docker/copy:1.0"
    docker("tag", reference, copy)
    docker("push", copy)
    docker("image", "rm", reference, copy)
    docker("pull", reference)
    docker("image", "rm", reference)
    docker.refused("pull", f"{recorder.host}/docker/nothing:1.0", saying="not found")


SESSIONS = {
    "wire": (session_of_wire,),
    "crane": (session_of_crane, "client_of", "tmp_path_factory"),
    "skopeo": (session_of_skopeo, "client_of", "tmp_path_factory"),
    "docker": (session_of_docker, "client_of", "authority", "tmp_path_factory"),
}
ORIGINALS = {"2.8": Registry2, "3": Distribution3}


def record(server, session, request):
    act, *fixtures = SESSIONS[session]
    with server, Recorder(server.port) as recorder:
        act(recorder, *(request.getfixturevalue(name) for name in fixtures))
    return recorder.calls


def differences(theirs, ours):
    """(call, field, theirs, ours) for each."""
    for call in sorted(theirs.keys() | ours.keys()):
        if call not in theirs or call not in ours:
            yield call, "call", sorted(theirs.get(call, ())), sorted(ours.get(call, ()))
            continue
        answers = [[{"status": status, **dict(fields)} for status, fields in side[call]] for side in (theirs, ours)]
        names = {name for side in answers for fields in side for name in fields}
        for name in sorted(names):
            values = [{fields.get(name) for fields in side} for side in answers]
            if values[0] != values[1]:
                yield call, name, *values


def names_of(call, field):
    """What the document calls this difference."""
    return [
        name
        for name, rows in DIFFERENCES.items()
        if any(field == each and any(fnmatchcase(call, pattern) for pattern in calls) for each, calls in rows)
    ]


@pytest.fixture(scope="module")
def ours(tmp_path_factory, request):
    """Each session's calls of Berth."""
    folder = tmp_path_factory.mktemp("ours")
    return {session: record(Server(folder / session), session, request) for session in SESSIONS}


@pytest.mark.parametrize("original", ORIGINALS)
@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_is_answered_as_by_the_original(session, original, ours, tmp_path, request):
    theirs = record(ORIGINALS[original](tmp_path), session, request)
    assert len(theirs) > 5
    unknown = [
        f"{call}: {field}: theirs {old}, ours {new}"
        for call, field, old, new in differences(theirs, ours[session])
        if not names_of(call, field)
    ]
    assert not unknown, "\n".join(unknown)


def test_every_difference_is_there_and_in_the_document(ours, tmp_path, request):
    found = set()
    for name, original in ORIGINALS.items():
        theirs = record(original(tmp_path / name), "wire", request)
        for call, field, _, _ in differences(theirs, ours["wire"]):
            found.update(names_of(call, field))
    assert found == set(DIFFERENCES)
    document = (ROOT / "docs/design/0004-differences.md").read_text()
    assert set(re.findall(r"^### (.+)$", document, re.M)) == set(DIFFERENCES)
