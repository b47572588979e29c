"""What operators see: metrics under the names that the originals export, variables, health, and an unready server."""

import http.client
import json
import os
import re
import shutil
import socket
import time

import exposition
import pytest
from images import Image
from polling import until
from receiver import Receiver, endpoint
from redis_server import RedisServer, cached_in, wait_for_line
from registry2 import ORIGINALS
from server import ROOT, USERS, Server, free_port, secure_config
from wire import MANIFEST_TYPES, Wire, sha256, with_query

UNREADY = {
    "errors": [
        {
            "code": "UNAVAILABLE",
            "message": "service unavailable",
            "detail": "health check failed: please see /debug/health",
        }
    ]
}
# Of Go's runtime, of the process, and of the scrape itself.
FOREIGN = ("go_", "process_", "promhttp_")


def get(port, target, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers
    finally:
        connection.close()


def debug_config(port, **more):
    return {"http": {"debug": {"addr": f"127.0.0.1:{port}", "prometheus": {"enabled": True}}}, **more}


def metrics(port):
    status, text, headers = get(port, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return exposition.read(text)


def value(port, name, **labels):
    """Of one series; None when it is not there."""
    family = metrics(port).get(name)
    return family and family.series.get(("", frozenset(labels.items())))


def telling(receiver):
    return {"notifications": {"endpoints": [endpoint(receiver, "test", threshold=100, timeout="5s")]}}


def session(server):
    """Something of everything. Returns each call's status."""
    wire = Wire(server)
    statuses = []

    def call(method, target, body=None, headers=None):
        answer = wire.call(method, target, body, headers)
        statuses.append((method, answer.status))
        return answer

    call("GET", "/v2/")
    call("GET", "/v2/none/tags/list")
    image = Image("observe")
    for digest, data in image.blobs.items():
        call("HEAD", f"/v2/team/app/blobs/{digest}")
        location = call("POST", "/v2/team/app/blobs/uploads/", headers={"Content-Length": "0"}).headers["Location"]
        location = call("PATCH", location, data, {"Content-Type": "application/octet-stream"}).headers["Location"]
        call("PUT", with_query(location, digest=digest), b"")
        call("GET", f"/v2/team/app/blobs/{digest}")
    location = call("POST", "/v2/team/app/blobs/uploads/", headers={"Content-Length": "0"}).headers["Location"]
    call("GET", location)
    call("DELETE", location)
    call("PUT", "/v2/team/app/manifests/1", image.manifest, {"Content-Type": json.loads(image.manifest)["mediaType"]})
    for _ in range(2):
        call("HEAD", "/v2/team/app/manifests/1", headers={"Accept": MANIFEST_TYPES})
        call("GET", "/v2/team/app/manifests/1", headers={"Accept": MANIFEST_TYPES})
    call("GET", "/v2/team/app/manifests/unknown")
    call("BREW", "/v2/team/app/manifests/1")
    call("GET", "/v2/team/app/tags/list")
    call("GET", "/v2/_catalog")
    call("DELETE", f"/v2/team/app/manifests/{sha256(image.manifest)}")
    wire.close()
    return statuses


def told(port):
    """All notifications are told."""
    family = metrics(port).get("registry_notifications_pending_total")
    return family is None or set(family.series.values()) == {0.0}


def observed(make, folder):
    """The session's statuses and the metrics after it."""
    port = free_port()
    with Receiver() as receiver:
        config = debug_config(port, **telling(receiver))
        config["storage"] = {"cache": {"blobdescriptor": "inmemory"}}
        with make(folder, config=config) as server:
            statuses = session(server)
            until(lambda: told(port))
            return statuses, metrics(port)


@pytest.mark.parametrize("original", ORIGINALS)
def test_the_metrics_of_the_original_are_ours_too(tmp_path, original):
    theirs_statuses, theirs = observed(original, tmp_path / "original")
    ours_statuses, ours = observed(Server, tmp_path / "berth")
    assert ours_statuses == theirs_statuses, "the sessions are not the same"
    compared = {name: family for name, family in theirs.items() if not name.startswith(FOREIGN)}
    assert len(compared) >= 7
    for name, family in compared.items():
        assert name in ours, name
        assert (ours[name].type, ours[name].help) == (family.type, family.help), name
        assert ours[name].labels() == family.labels(), name
    # To the last series, bounds of buckets included, whatever does not depend on how storage works.
    for name in compared:
        if not name.startswith("registry_storage_action"):
            assert not compared[name].series.keys() - ours[name].series.keys(), name
    count = "registry_http_requests_total"
    assert {key: number for key, number in compared[count].series.items() if "base" not in str(key)} == {
        key: number for key, number in ours[count].series.items() if not re.search("base|other", str(key))
    }, "not only the series, but the counts"
    actions = compared["registry_storage_action_seconds"].values("action")
    assert "PutContent" in actions
    # There is no redirect to make a URL for; our index knows what others look for in folders.
    assert actions - {"URLFor", "RedirectURL", "List"} <= ours["registry_storage_action_seconds"].values("action")


def test_process_metrics_have_the_names_of_all_clients(tmp_path):
    port = free_port()
    with Server(tmp_path, debug_config(port)) as server:
        families = metrics(port)
        files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        started = value(port, "process_start_time_seconds")
    assert abs(families["process_open_fds"].series[("", frozenset())] - files) < 10
    assert abs(started - time.time()) < 600
    assert families["process_resident_memory_bytes"].series[("", frozenset())] > 1 << 20
    assert families["process_cpu_seconds_total"].type == "counter"


def documented():
    """The names in the table of docs/operate.md, section "Metrics", with their types."""
    text = (ROOT / "docs/operate.md").read_text()
    section = re.search(r"^## Metrics\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    assert section, 'docs/operate.md has no section "Metrics"'
    return dict(re.findall(r"^\| `([a-z_]+)`[^|]*\| (counter|gauge|histogram) \|", section[1], re.M))


def test_every_metric_is_documented(tmp_path, authority):
    port = free_port()
    with Receiver() as receiver, RedisServer(tmp_path / "redis") as redis:
        config = {**debug_config(port), **telling(receiver), **cached_in(redis.section())}
        config |= secure_config(tmp_path, policy=False)
        tls = authority.issue("observe")
        with Server(tmp_path / "server", config, tls=tls, trust=authority.trust()) as server:
            wait_for_line(server, "Redis keeps blob descriptors")
            wire = Wire(server, "jenkins", USERS["jenkins"])
            image = Image("documented")
            image.push(wire, "a", "1")
            for digest in image.blobs:
                assert wire.pull_blob("a", digest).status == 200
            wire.close()
            until(lambda: told(port))
            exported = {name: family.type for name, family in metrics(port).items()}
    assert exported == documented()


def test_ours_follow_what_happens(tmp_path, authority):
    port = free_port()
    config = {**debug_config(port), **secure_config(tmp_path, policy=False)}
    tls = authority.issue("observe")
    with Server(tmp_path / "server", config, tls=tls, trust=authority.trust()) as server:
        before = metrics(port)
        assert before["berth_repositories"].series[("", frozenset())] == 0
        wire = Wire(server, "jenkins", USERS["jenkins"])
        image = Image("follow")
        image.push(wire, "a/b", "1")
        wire.push_manifest("a/b", "2", image.manifest)
        wire.begin("a/b")
        until(lambda: value(port, "berth_uploads") == 1)
        assert value(port, "berth_connections") == 1
        wrong = Wire(server, "jenkins", "wrong")
        assert wrong.call("GET", "/v2/").status == 401
        until(lambda: value(port, "berth_logins_total", outcome="failed") == 1)
        assert value(port, "berth_logins_total", outcome="verified") == 1
        for _ in range(30):
            wrong.call("GET", "/v2/")
        until(lambda: value(port, "berth_logins_total", outcome="throttled") > 0)
        wire.close()
        wrong.close()
        until(lambda: value(port, "berth_connections") == 0)
        until(lambda: value(port, "berth_tags") == 2)
        assert value(port, "berth_repositories") == 1
        assert value(port, "berth_manifests") == 1
        assert value(port, "berth_blobs") == len(image.blobs) + 1
        assert value(port, "berth_blob_bytes") == sum(map(len, image.blobs.values())) + len(image.manifest)
        assert value(port, "berth_ready") == 1
        assert value(port, "berth_adoption_done") == 1
        assert value(port, "berth_pool_threads", pool="disk") > 0
        assert value(port, "berth_storage_free_bytes") > 0
        assert value(port, "berth_tls_certificate_expiry_timestamp_seconds") > time.time()


def test_metrics_are_on_the_debug_address_only(plain, tmp_path):
    port = free_port()
    with Server(tmp_path / "debug", debug_config(port)) as server:
        for path in ["/metrics", "/debug/health", "/debug/vars", "/debug/pprof/"]:
            assert get(server.port, path)[0] == 404, path
            assert get(plain.port, path)[0] == 404, path
        for path in ["/v2/", "/", "/healthz", "/v2/_catalog"]:
            assert get(port, path)[0] == 404, path
        assert get(port, "/debug/health")[:2] == (200, "{}")
        assert get(port, "/debug/pprof/")[0] == 404
        assert get(port, "/metrics", "POST")[0] == 405


def test_without_metrics_there_are_variables_and_health(tmp_path):
    port = free_port()
    with Server(tmp_path, {"http": {"debug": {"addr": f"127.0.0.1:{port}"}}}) as server:
        assert get(port, "/metrics")[0] == 404
        assert get(port, "/debug/health")[0] == 200
        status, text, headers = get(port, "/debug/vars")
        assert (status, headers["Content-Type"]) == (200, "application/json")
        variables = json.loads(text)
        assert variables["cmdline"] == server.command()
        assert variables["memstats"]["Alloc"] > 0
        assert variables["registry"]["notifications"]["endpoints"] == []
        assert variables["berth"]["berth_ready"] == 1


def test_variables_show_notifications_as_the_original_does(tmp_path):
    port = free_port()
    with Receiver() as receiver, Server(tmp_path, {**debug_config(port), **telling(receiver)}) as server:
        session(server)
        until(lambda: told(port))
        [shown] = json.loads(get(port, "/debug/vars")[1])["registry"]["notifications"]["endpoints"]
    assert shown["name"] == "test"
    numbers = shown["Metrics"]
    assert numbers["Events"] == numbers["Successes"] > 0
    assert numbers["Pending"] == numbers["Failures"] == numbers["Errors"] == 0
    assert list(numbers["Statuses"]) == ["200 OK"]


def test_metrics_have_their_own_path(tmp_path):
    port = free_port()
    config = debug_config(port)
    config["http"]["debug"]["prometheus"]["path"] = "/numbers"
    with Server(tmp_path, config):
        assert get(port, "/numbers")[0] == 200
        assert get(port, "/metrics")[0] == 404


def test_a_debug_address_in_use_ends_the_start(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(tmp_path, debug_config(taken.getsockname()[1]))
        process = server.spawn()
        assert process.wait(20) != 0
        assert "http.debug.addr" in server.log_text()


def assert_unready(server, port, check, saying):
    until(lambda: get(server.port, "/v2/")[0] == 503)
    for path in ["/v2/", "/healthz", "/", "/v2/a/manifests/1", "/v2/_catalog", "/nothing"]:
        status, text, headers = get(server.port, path)
        assert (status, json.loads(text)) == (503, UNREADY), path
        assert headers["Content-Type"] == "application/json"
    status, text, _ = get(port, "/debug/health")
    assert status == 503
    failures = json.loads(text)
    assert list(failures) == [check]
    assert re.search(saying, failures[check]), failures
    assert value(port, "berth_ready") == 0


def assert_ready(server, port):
    until(lambda: get(server.port, "/v2/")[0] == 200)
    assert get(server.port, "/healthz")[0] == 200
    assert get(port, "/debug/health")[:2] == (200, "{}")
    assert value(port, "berth_ready") == 1


def test_a_file_takes_the_server_out_of_service(tmp_path):
    port = free_port()
    down = tmp_path / "down"
    health = {"file": [{"file": str(down), "interval": "20ms"}]}
    with Server(tmp_path / "server", debug_config(port, health=health)) as server:
        assert_ready(server, port)
        down.touch()
        assert_unready(server, port, str(down), "^file exists$")
        down.unlink()
        assert_ready(server, port)
        log = server.log_text()
        assert log.count("a health check fails") == log.count("a health check succeeds again") == 1


def test_what_must_answer_by_http(tmp_path):
    port = free_port()
    with Server(tmp_path / "other") as other:
        uri = f"http://127.0.0.1:{other.port}/healthz"
        check = {"uri": uri, "interval": "20ms", "timeout": "5s", "threshold": 3, "headers": {"X-Who": ["berth"]}}
        with Server(tmp_path / "server", debug_config(port, health={"http": [check]})) as server:
            assert_ready(server, port)
            other.stop()
            assert_unready(server, port, uri, "127.0.0.1")
            other.start()
            assert_ready(server, port)
        unexpected = {**check, "statuscode": 204}
        config = debug_config(port, health={"http": [unexpected]})
        server = Server(tmp_path / "unexpected", config)
        server.spawn()
        until(lambda: not refused(port))
        assert_unready(server, port, uri, "unexpected status: 200")
        server.stop()


def refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_what_must_answer_by_tcp(tmp_path):
    port = free_port()
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        check = {"addr": address, "interval": "20ms", "timeout": "5s", "threshold": 2}
        with Server(tmp_path, debug_config(port, health={"tcp": [check]})) as server:
            assert_ready(server, port)
            listener.close()
            assert_unready(server, port, address, "refused")
            with socket.create_server(("127.0.0.1", int(address.split(":")[1])), backlog=1000):
                assert_ready(server, port)


class Unprivileged(Server):
    """May read no more than its files' modes say, also as root."""

    def command(self):
        if os.geteuid() != 0:
            return super().command()
        setpriv = shutil.which("setpriv")
        assert setpriv, "setpriv is not installed"
        return [setpriv, "--bounding-set=-dac_override,-dac_read_search", *super().command()]


def test_the_storage_must_be_readable(tmp_path):
    port = free_port()
    health = {"storagedriver": {"enabled": True, "interval": "20ms", "threshold": 3}}
    with Unprivileged(tmp_path, debug_config(port, health=health)) as server:
        assert_ready(server, port)
        server.data.chmod(0)
        try:
            assert_unready(server, port, "storagedriver_filesystem", "Permission denied")
        finally:
            server.data.chmod(0o755)
        assert_ready(server, port)
