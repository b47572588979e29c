"""A layer of 2 GiB over TLS with the rule: pushed and pulled by real clients, and streamed by the wire itself.

The content is a block of noise with its number written over the first bytes, so that it neither compresses nor
repeats, and making it costs nothing.
"""

import hashlib
import subprocess

import pytest
from images import noise
from server import USERS
from wire import with_query

BLOCK = 1 << 20
SIZE = 2 << 30


def blocks(seed, size=SIZE):
    body = noise(seed, BLOCK)
    for number in range(size // BLOCK):
        yield number.to_bytes(8, "big") + body[8:]


def digest_of(chunks):
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return "sha256:" + digest.hexdigest()


@pytest.fixture
def clean(registry, jenkins):
    """Repositories whose blobs are deleted at the end."""
    pushed = []
    yield pushed
    for repository, digest in pushed:
        assert jenkins.call("DELETE", f"/v2/{repository}/blobs/{digest}").status == 202


def rss_kib(server):
    """The largest resident set that the server process has had."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM:")))


def test_oras_pushes_and_crane_pulls_2_gib(client_of, registry, tmp_path, clean):
    with open(tmp_path / "layer", "wb") as layer:
        for block in blocks("large"):
            layer.write(block)
    oras = client_of("oras")
    oras("login", registry.host, "-u", "jenkins", "--password-stdin", input=USERS["jenkins"])
    oras("push", f"{registry.host}/large/oras:1.0", "layer:application/octet-stream", cwd=tmp_path, timeout=300)
    (tmp_path / "layer").unlink()
    digest = digest_of(blocks("large"))
    clean.append(("large/oras", digest))

    crane = client_of("crane", "alice")
    crane("auth", "login", registry.host, "-u", "alice", "-p", USERS["alice"])
    command = [crane.program, "blob", f"{registry.host}/large/oras@{digest}"]
    with subprocess.Popen(command, env=crane.environment, stdout=subprocess.PIPE) as process:
        assert digest_of(iter(lambda: process.stdout.read(BLOCK), b"")) == digest
    assert process.returncode == 0


def test_streams_2_gib_without_a_length_in_bounded_memory(registry, jenkins, clean):
    location = jenkins.begin("large/stream")
    answer = jenkins.call("PATCH", location, blocks("stream"), {"Transfer-Encoding": "chunked"})
    assert answer.status == 202, answer
    assert answer.headers["Range"] == f"0-{SIZE - 1}"
    digest = digest_of(blocks("stream"))
    answer = jenkins.call("PUT", with_query(answer.headers["Location"], digest=digest), b"")
    assert answer.status == 201, answer
    clean.append(("large/stream", digest))

    answer = jenkins.call("GET", f"/v2/large/stream/blobs/{digest}", headers={"Range": f"bytes={SIZE - 8}-"})
    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes {SIZE - 8}-{SIZE - 1}/{SIZE}")
    assert answer.body == noise("stream", BLOCK)[-8:]
    assert rss_kib(registry) < 200 << 10
