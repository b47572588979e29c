"""Starting, listening, logging and stopping, as an operator meets them."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from images import Image
from server import BINARY, USERS, Server, free_port, merge, secure_config
from wire import Wire, sha256


def ends(server, seconds=10):
    """Starts a server that must end by itself with an error; what it wrote."""
    process = server.spawn()
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"it started all the same:\n{server.log_text()}") from None
    assert code not in (0, -signal.SIGSEGV, -signal.SIGABRT), f"{code}\n{server.log_text()}"
    return server.log_text()


def answer_over(sock, target="/v2/"):
    """One request over a connected socket; the status and the body."""
    connection = http.client.HTTPConnection("test")
    connection.sock = sock
    connection.request("GET", target)
    response = connection.getresponse()
    return response.status, response.read()


# Starting


def test_a_second_server_on_the_same_data_is_refused(tmp_path):
    with Server(tmp_path / "first") as first:
        changes = {"storage": {"filesystem": {"rootdirectory": str(first.data)}}}
        said = ends(Server(tmp_path / "second", changes))
        assert str(first.data) in said
        assert re.search("another|in use|already|held", said)
        assert Wire(first).call("GET", "/v2/").status == 200
    with first:  # and the lock goes with its holder
        assert Wire(first).call("GET", "/v2/").status == 200


def test_a_port_in_use_is_named(tmp_path, plain):
    said = ends(Server(tmp_path / "second", {"http": {"addr": plain.host}}))
    assert plain.host in said
    assert re.search("in use", said, re.I)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"storage": {"filesytem": {"rootdirectory": "/tmp/x"}}}, "filesytem"),
        ({"http": {"adress": "127.0.0.1:1"}}, "adress"),
        ({"log": {"level": "loud"}}, "level"),
        ({"auth": {"htpasswd": {"realm": "x", "path": "/nonexistent/htpasswd"}}}, "htpasswd"),
        ({"http": {"tls": {"certificate": "/nonexistent/a.crt", "key": "/nonexistent/a.key"}}}, "/nonexistent/a.crt"),
        ({"policy": [{"name": "x", "subjects": ["everyone"], "actions": ["fly"]}]}, "fly"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path, changes, key):
    said = ends(Server(tmp_path / "server", changes))
    assert key in said


def test_a_wrong_key_is_named_with_file_line_and_the_nearest_key(tmp_path):
    server = Server(tmp_path / "server")
    server.config_path.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {server.data}\nhttp:\n  adr: {server.host}\n"
    )
    said = ends(server)
    assert f"{server.config_path}:6" in said
    assert "http.adr" in said
    assert "addr" in said.replace("adr:", "")


def test_yaml_that_cannot_be_read_names_the_line(tmp_path):
    server = Server(tmp_path / "server")
    server.config_path.write_text("version: 0.1\nhttp:\n  addr: [1, 2\nstorage: {\n")
    assert re.search(re.escape(str(server.config_path)) + r":\d+", ends(server))


def test_keys_that_do_nothing_are_said_at_start(tmp_path):
    with Server(tmp_path / "server", {"reporting": {"newrelic": {"licensekey": "none"}}}) as server:
        assert "reporting" in server.log_text()


def test_environment_variables_override_the_file(tmp_path):
    port = free_port()
    server = Server(
        tmp_path / "server",
        environment={"REGISTRY_HTTP_ADDR": f"127.0.0.1:{port}", "REGISTRY_STORAGE_DELETE_ENABLED": "false"},
    )
    server.port = port
    with server:
        wire = Wire(server)
        digest = wire.push_blob("env/app", b"blob")
        answer = wire.call("DELETE", f"/v2/env/app/blobs/{digest}")
        assert (answer.status, answer.error()) == (405, "UNSUPPORTED")


def test_without_a_configuration_it_serves_the_working_folder(tmp_path):
    server = Server(tmp_path / "server", environment={"REGISTRY_HTTP_ADDR": ""})
    port = free_port()
    environment = {**os.environ, "REGISTRY_HTTP_ADDR": f"127.0.0.1:{port}"}
    with open(server.log, "wb") as log:
        server.process = subprocess.Popen([BINARY, "serve"], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    server.port = port
    server.wait_ready()
    Wire(server).push_blob("default/app", b"blob")
    said = server.log_text()
    server.stop()
    assert (tmp_path / "berth-data/docker/registry/v2/blobs").is_dir()
    assert "docker push" in said, "it says what to type next"
    assert f"127.0.0.1:{port}" in said


def test_serves_a_good_configuration_of_registry_2(tmp_path):
    """The package's default file, as it stands, but for the port and the folder."""
    server = Server(tmp_path / "server")
    server.config_path.write_text(
        f"""\
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: {server.data}
http:
  addr: {server.host}
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
"""
    )
    with server:
        answer = Wire(server).call("GET", "/v2/")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# Stopping


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_ends_at_once_when_idle(tmp_path, signum):
    server = Server(tmp_path / "server").start()
    idle = socket.create_connection(("127.0.0.1", server.port))
    began = time.monotonic()
    server.process.send_signal(signum)
    assert server.process.wait(10) == 0
    assert time.monotonic() - began < 5
    idle.close()


def test_sigterm_lets_a_running_push_finish(tmp_path):
    server = Server(tmp_path / "server", {"http": {"draintimeout": "20s"}}).start()
    wire = Wire(server)
    location = wire.begin("drain/app")
    began = threading.Event()
    go_on = threading.Event()
    data = b"first half, " + b"second half"

    def body():
        yield data[:12]
        began.set()
        go_on.wait(10)
        yield data[12:]

    answers = []
    path = location[location.index("/v2/") :] + ("&" if "?" in location else "?") + "digest=" + sha256(data)
    pushing = threading.Thread(
        target=lambda: answers.append(Wire(server).call("PUT", path, body(), {"Transfer-Encoding": "chunked"}))
    )
    pushing.start()
    began.wait(10)
    time.sleep(0.1)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert server.process.poll() is None, "it waits for the push"
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=2).close()
    go_on.set()
    pushing.join(10)
    assert answers and answers[0].status == 201, answers
    assert server.process.wait(10) == 0
    with server:
        assert Wire(server).pull_blob("drain/app", sha256(data)).body == data
    wire.close()


def test_a_drain_has_an_end(tmp_path):
    server = Server(tmp_path / "server", {"http": {"draintimeout": "1s"}}).start()
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        stuck.sendall(b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(6) == 0


# Listening


def test_a_unix_socket(tmp_path):
    path = tmp_path / "berth.sock"
    server = Server(tmp_path / "server", {"http": {"net": "unix", "addr": str(path)}})
    server.spawn()
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline and server.process.poll() is None, server.log_text()
        time.sleep(0.01)
    for _ in range(100):
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(str(path))
            except ConnectionRefusedError:
                time.sleep(0.01)
                continue
            assert answer_over(sock) == (200, b"{}")
            break
    server.kill()
    # What a killed server left behind does not stop the next one.
    server.spawn()
    deadline = time.monotonic() + 10
    while True:
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(str(path))
                assert answer_over(sock) == (200, b"{}")
                break
            except (ConnectionRefusedError, FileNotFoundError):
                assert time.monotonic() < deadline and server.process.poll() is None, server.log_text()
                time.sleep(0.01)
    server.stop()


def test_ipv6(tmp_path):
    port = free_port(socket.AF_INET6)
    server = Server(tmp_path / "server", {"http": {"addr": f"[::1]:{port}"}})
    server.connect = lambda timeout=60: http.client.HTTPConnection("::1", port, timeout=timeout)
    with server:
        wire = Wire(server)
        assert wire.begin("six/app").startswith((f"http://[::1]:{port}/v2/", "/v2/"))


def test_several_addresses(tmp_path):
    ports = [free_port(), free_port(socket.AF_INET6)]
    server = Server(tmp_path / "server", {"http": {"addr": [f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}"]}})
    server.port = ports[0]
    with server:
        for address in (("127.0.0.1", ports[0]), ("::1", ports[1])):
            with socket.create_connection(address) as sock:
                assert answer_over(sock) == (200, b"{}")


def test_socket_activation(tmp_path):
    """As systemd does it: the listening socket is descriptor 3, and the server is told by LISTEN_FDS."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = Server(tmp_path / "server")
    start = (
        "import os, sys\n"
        "os.dup2(int(sys.argv[1]), 3)\n"
        "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n"
    )
    command = [sys.executable, "-c", start, str(listening.fileno()), *server.command()]
    with open(server.log, "wb") as log:
        server.process = subprocess.Popen(command, pass_fds=[listening.fileno()], stdout=log, stderr=log)
    listening.close()
    server.port = port
    server.wait_ready()
    assert Wire(server).call("GET", "/v2/").status == 200
    server.stop()


def test_plain_and_tls_side_by_side(tmp_path, authority):
    certificate, key = authority.issue("side")
    ports = [free_port(), free_port()]
    changes = {
        "http": {
            "addr": None,
            "listeners": [
                {"addr": f"127.0.0.1:{ports[0]}", "tls": False},
                {"addr": f"127.0.0.1:{ports[1]}", "tls": True},
            ],
            "tls": {"certificate": str(certificate), "key": str(key)},
        }
    }
    server = Server(tmp_path / "server", changes)
    server.port = ports[0]
    with server:
        location = Wire(server).begin("side/app")
        assert location.startswith((f"http://127.0.0.1:{ports[0]}/", "/v2/"))
        with socket.create_connection(("127.0.0.1", ports[1])) as sock:
            with authority.trust().wrap_socket(sock, server_hostname="127.0.0.1") as secure:
                assert answer_over(secure) == (200, b"{}")


@pytest.mark.parametrize("key", ["rsa", "P-256", "P-384"])
def test_keys_and_protocols(tmp_path, authority, key):
    pair = authority.issue(f"key-{key}", key)
    with Server(tmp_path / "server", tls=pair, trust=authority.trust()) as server:
        image = Image("tls", size=300_000)
        wire = Wire(server)
        image.push(wire, "tls/app", "1.0")
        for digest, data in image.blobs.items():
            assert wire.pull_blob("tls/app", digest).body == data
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = authority.trust()
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", server.port)) as sock:
                with context.wrap_socket(sock, server_hostname="127.0.0.1") as secure:
                    assert answer_over(secure) == (200, b"{}")


def test_a_certificate_chain_is_sent_whole(tmp_path, authority):
    middle = authority.issue("middle", ca=True)
    certificate, key = authority.issue("leaf", issuer=middle)
    chain = tmp_path / "chain.crt"
    chain.write_text(certificate.read_text() + middle[0].read_text())
    with Server(tmp_path / "one-file", tls=(chain, key), trust=authority.trust()) as server:
        assert Wire(server).call("GET", "/v2/").status == 200
    changes = {"http": {"tls": {"chain": str(middle[0])}}}
    with Server(tmp_path / "two-files", changes, tls=(certificate, key), trust=authority.trust()) as server:
        assert Wire(server).call("GET", "/v2/").status == 200


def test_a_key_of_another_certificate_is_refused(tmp_path, authority):
    certificate, _ = authority.issue("mine")
    _, key = authority.issue("other")
    said = ends(Server(tmp_path / "server", tls=(certificate, key)))
    assert str(key) in said or str(certificate) in said


def test_plain_http_on_the_tls_port_is_told_so(registry):
    with socket.create_connection(("127.0.0.1", registry.port)) as sock:
        status, body = answer_over(sock)
    assert status == 400
    assert b"https" in body.lower()


# Who may, where a client's words do not show it


def test_every_answer_says_what_a_docker_client_looks_for(registry, jenkins):
    anonymous = Wire(registry)
    for target in ("/v2/", "/v2/a/tags/list", "/v2/a/manifests/b"):
        answer = anonymous.call("GET", target)
        assert answer.status == 401
        assert answer.error() == "UNAUTHORIZED"
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="Docker Registry"')
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert jenkins.call("GET", "/v2/").headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_the_rule_that_stops_somebody_is_named(tmp_path):
    final = {
        "name": "releases are final", "effect": "deny", "repositories": ["prod/**"], "tags": ["v*"],
        "subjects": ["everyone"], "actions": ["overwrite"],
    }  # fmt: skip
    config = secure_config(tmp_path)
    config["policy"] = [*config["policy"], final]
    with Server(tmp_path / "server", config) as server:
        jenkins = Wire(server, "jenkins", USERS["jenkins"])
        first, second = Image("first"), Image("second")
        first.push(jenkins, "prod/app", "v1")
        first.push(jenkins, "prod/app", "v1")  # the same again moves nothing
        second.push(jenkins, "prod/app", "next")
        answer = jenkins.call(
            "PUT", "/v2/prod/app/manifests/v1", second.manifest,
            {"Content-Type": "application/vnd.oci.image.manifest.v1+json"},
        )  # fmt: skip
        assert (answer.status, answer.error()) == (403, "DENIED")
        assert "releases are final" in answer.body.decode()
        assert jenkins.pull_manifest("prod/app", "v1").body == first.manifest

        alice = Wire(server, "alice", USERS["alice"])
        answer = alice.call("POST", "/v2/a/blobs/uploads/", headers={"Content-Length": "0"})
        assert (answer.status, answer.error()) == (403, "DENIED")


def test_a_changed_password_counts_at_once(tmp_path):
    server = Server(tmp_path / "server", secure_config(tmp_path))
    with server:
        assert Wire(server, "alice", USERS["alice"]).call("GET", "/v2/").status == 200
        subprocess.run(
            ["htpasswd", "-B", "-C", "5", "-b", tmp_path / "htpasswd", "alice", "changed"], check=True, capture_output=True
        )
        deadline = time.monotonic() + 5
        while Wire(server, "alice", "changed").call("GET", "/v2/").status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert Wire(server, "alice", USERS["alice"]).call("GET", "/v2/").status == 401


@pytest.mark.parametrize("kind", ["-B", "-m", "-s", "-d", "-2", "-5"])
def test_every_hash_that_htpasswd_writes(tmp_path, kind):
    path = tmp_path / "htpasswd"
    subprocess.run(["htpasswd", "-c", "-b", kind, path, "alice", "pass:wor"], check=True, capture_output=True)
    config = {"auth": {"htpasswd": {"realm": "x", "path": str(path)}}}
    with Server(tmp_path / "server", config) as server:
        assert Wire(server, "alice", "pass:wor").call("GET", "/v2/").status == 200
        assert Wire(server, "alice", "other").call("GET", "/v2/").status == 401


# Logging


def log_lines(tmp_path, changes):
    """The lines of a server that had one pull; it is stopped."""
    server = Server(tmp_path / "server", changes)
    with server:
        wire = Wire(server)
        Image("log").push(wire, "log/app", "1.0")
        wire.headers["User-Agent"] = 'a "test"/1'
        wire.pull_manifest("log/app", "1.0")
        wire.close()
    return server.log_text(100_000).splitlines()


def test_text_logs_carry_the_fields(tmp_path):
    changes = {"log": {"level": "info", "formatter": "text", "fields": {"service": "registry", "environment": "test"}}}
    lines = [line for line in log_lines(tmp_path, changes) if "level=info" in line]
    assert lines
    for line in lines:
        assert "service=registry" in line and "environment=test" in line


def test_json_logs_are_json(tmp_path):
    changes = {
        "log": {"formatter": "json", "fields": {"service": "registry"}, "accesslog": {"disabled": True}},
    }
    lines = log_lines(tmp_path, changes)
    assert lines
    for line in lines:
        entry = json.loads(line)
        assert entry["service"] == "registry" and {"level", "msg", "time"} <= entry.keys()


def test_the_access_log_is_combined(tmp_path):
    combined = re.compile(
        r'^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
        r'"GET /v2/log/app/manifests/1\.0 HTTP/1\.1" 200 \d+ "" "a \\"test\\"/1"$'
    )  # fmt: skip
    lines = log_lines(tmp_path, {})
    assert [line for line in lines if combined.match(line)], "\n".join(lines)


def test_an_access_log_of_its_own_is_opened_anew_on_a_signal(tmp_path):
    path = tmp_path / "access.log"
    with Server(tmp_path / "server", {"log": {"accesslog": {"path": str(path)}}}) as server:
        wire = Wire(server)
        wire.call("GET", "/v2/one/tags/list")
        deadline = time.monotonic() + 5
        while "/v2/one/" not in path.read_text():  # a line is written after its answer
            assert time.monotonic() < deadline
            time.sleep(0.02)
        path.rename(tmp_path / "access.log.1")
        server.process.send_signal(signal.SIGHUP)
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        wire.call("GET", "/v2/two/tags/list")
        wire.close()
    assert "/v2/one/" in (tmp_path / "access.log.1").read_text()
    assert "/v2/two/" in path.read_text()


def test_errors_carry_a_request_id_that_the_log_has(tmp_path):
    with Server(tmp_path / "server", {"log": {"level": "debug"}}) as server:
        answer = Wire(server).call("GET", "/v2/none/manifests/none")
        identity = answer.headers["X-Request-Id"]
        assert identity and identity in answer.body.decode()
    assert identity in server.log_text(100_000)


def test_answers_people_and_probes(plain):
    wire = Wire(plain)
    assert wire.call("GET", "/healthz").status == 200
    front = wire.call("GET", "/")
    assert front.status == 200 and b"Berth" in front.body


def test_passwords_never_reach_the_log(tmp_path):
    server = Server(tmp_path / "server", merge(secure_config(tmp_path), {"log": {"level": "debug"}}))
    with server:
        wire = Wire(server, "jenkins", USERS["jenkins"])
        wire.push_blob("quiet/app", b"blob")
        Wire(server, "jenkins", "wr0ng-secret").call("GET", "/v2/")
        encoded = wire.headers["Authorization"].removeprefix("Basic ")
        wire.close()
    said = server.log_text(1_000_000)
    assert USERS["jenkins"] not in said and encoded not in said and "wr0ng-secret" not in said
