"""An upload goes on after its connection, or the whole server, went away in the middle."""

import http.client
import re
import socket

import pytest
from images import noise
from server import Server
from wire import Wire, sha256, with_query

PART = 3_000_000


def offset_of(answer):
    """How many bytes the server says it has."""
    match = re.fullmatch(r"0-(\d+)", answer.headers["Range"])
    assert match, answer
    return int(match.group(1)) + 1 if answer.headers["Range"] != "0-0" else 0


def finish(wire, repository, location, data):
    """Asks how far the upload is, sends the rest and closes it. Returns how much had been kept."""
    status = wire.call("GET", location)
    assert status.status == 204, status
    kept = offset_of(status)
    assert 0 <= kept <= len(data)
    rest = data[kept:]
    answer = wire.call(
        "PATCH", status.headers["Location"], rest, {"Content-Range": f"{kept}-{len(data) - 1}"}
    ) if rest else status  # fmt: skip
    assert answer.status in (202, 204), answer
    answer = wire.call("PUT", with_query(answer.headers["Location"], digest=sha256(data)), b"")
    assert answer.status == 201, answer
    assert wire.pull_blob(repository, sha256(data)).body == data
    return kept


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_acknowledged_chunk_is_kept_across_a_restart(tmp_path, end):
    data = noise(end, 2 * PART)
    server = Server(tmp_path / "server").start()
    wire = Wire(server)
    answer = wire.call("PATCH", wire.begin("resume/app"), data[:PART], {"Content-Range": f"0-{PART - 1}"})
    assert (answer.status, answer.headers["Range"]) == (202, f"0-{PART - 1}")
    wire.close()
    getattr(server, end)()
    with server:
        assert finish(Wire(server), "resume/app", answer.headers["Location"], data) == PART


def test_a_digest_over_three_restarts_is_right(tmp_path):
    data = noise("three", 4 * PART)
    server = Server(tmp_path / "server").start()
    location = Wire(server).begin("resume/app")
    for number in range(3):
        first = number * PART
        answer = Wire(server).call(
            "PATCH", location, data[first : first + PART], {"Content-Range": f"{first}-{first + PART - 1}"}
        )
        assert answer.status == 202, answer
        location = answer.headers["Location"]
        server.kill()
        server.start()
    assert finish(Wire(server), "resume/app", location, data) == 3 * PART
    server.stop()


def test_an_empty_upload_is_there_or_gone_after_a_kill(tmp_path):
    server = Server(tmp_path / "server").start()
    location = Wire(server).begin("resume/app")
    server.kill()
    with server:
        status = Wire(server).call("GET", location)
        assert status.status in (204, 404), status
        if status.status == 404:
            assert status.error() == "BLOB_UPLOAD_UNKNOWN"


def test_what_came_before_a_client_broke_off_is_kept(plain):
    data = noise("broke off", 2 * PART)
    wire = Wire(plain)
    location = wire.begin("resume/app")
    with socket.create_connection(("127.0.0.1", plain.port)) as raw:
        path = location[location.index("/v2/") :]
        raw.sendall(
            f"PATCH {path} HTTP/1.1\r\nHost: {plain.host}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data[:PART]
        )
        raw.shutdown(socket.SHUT_WR)
        with pytest.raises((http.client.HTTPException, OSError)):
            response = http.client.HTTPResponse(raw)
            response.begin()
            assert response.status >= 400
            raise http.client.HTTPException("answered with an error, as it may")
    kept = finish(wire, "resume/app", location, data)
    assert kept == PART


def test_a_wrong_digest_leaves_nothing_to_be_seen(plain):
    wire = Wire(plain)
    wrong = sha256(b"something else")
    answer = wire.call("PUT", with_query(wire.begin("resume/app"), digest=wrong), b"a blob")
    assert (answer.status, answer.error()) == (400, "DIGEST_INVALID")
    assert wire.pull_blob("resume/app", wrong).status == 404
    assert wire.pull_blob("resume/app", sha256(b"a blob")).status == 404
