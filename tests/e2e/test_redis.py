"""Blob descriptors in a real Redis: every way to reach it, all that can go wrong with it, and that it is never believed
more than the index.

A blob that was not pulled before makes Berth ask Redis, and tell it what the index said: that is how these tests make
it speak.
"""

import time
import urllib.request

import pytest

from redis_server import RedisServer, cached_in, lines_of, wait_for_line
from server import ROOT, Server, free_port
from wire import Wire

UP = "Redis keeps blob descriptors"
DOWN = "going on without Redis"
PASSWORD = "s3cret of redis"


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def cached(tmp_path, redis):
    """Berth with that Redis, which it has reached."""
    with Server(tmp_path / "berth", cached_in(redis.section())) as server:
        wait_for_line(server, UP)
        yield server


class Puller:
    """Pushes and pulls blobs, each another one."""

    def __init__(self, server, repository="team/app"):
        self.wire = Wire(server)
        self.repository = repository
        self.count = 0

    def push(self):
        self.count += 1
        return self.wire.push_blob(self.repository, f"blob {self.count} of {self.repository}".encode())

    def pull(self, digest, status=200):
        answer = self.wire.pull_blob(self.repository, digest)
        assert answer.status == status, answer

    def pull_new(self):
        digest = self.push()
        self.pull(digest)
        return digest


def check_is_used(server, redis):
    wait_for_line(server, UP)
    digest = Puller(server).pull_new()
    [key] = redis.keys()
    assert key.startswith("berth:") and key.endswith(f":team/app@{digest}"), key
    assert redis.get(key).startswith("18 "), "the size of the blob"
    assert 86_000 < int(redis("TTL", key)[0]) <= 86_400
    assert not lines_of(server, DOWN)


def test_plain(tmp_path, redis):
    with Server(tmp_path / "berth", cached_in(redis.section())) as server:
        check_is_used(server, redis)
        assert lines_of(server, "faster"), "whoever needs no Redis is told so"


def test_spelling_of_registry_2(tmp_path, redis):
    section = {
        "addr": redis.address,
        "dialtimeout": "5s",
        "readtimeout": "5s",
        "writetimeout": "5s",
        "pool": {"maxidle": 1, "maxactive": 2, "idletimeout": "300s"},
    }
    with Server(tmp_path / "berth", cached_in(section)) as server:
        check_is_used(server, redis)
        puller = Puller(server)
        for _ in range(20):
            puller.pull_new()
        assert int(redis.info("connected_clients")) <= 1 + 2, "redis-cli and the pool"


def test_password(tmp_path):
    with RedisServer(tmp_path / "redis", [f'requirepass "{PASSWORD}"'], login=["--pass", PASSWORD]) as redis:
        with Server(tmp_path / "berth", cached_in(redis.section(password=PASSWORD))) as server:
            check_is_used(server, redis)
            assert not lines_of(server, PASSWORD)


def test_user_with_the_least_rights(tmp_path):
    """What docs/configure.md says that the user needs."""
    acl = ["user default off", "user root on >root ~* +@all", "user berth on >berths ~berth:* +get +set +select"]
    with RedisServer(tmp_path / "redis", acl, login=["--user", "root", "--pass", "root"]) as redis:
        section = redis.section(username="berth", password="berths")
        with Server(tmp_path / "berth", cached_in(section)) as server:
            check_is_used(server, redis)


def test_database(tmp_path):
    with RedisServer(tmp_path / "redis", login=["-n", "5"]) as redis:
        with Server(tmp_path / "berth", cached_in(redis.section(db=5))) as server:
            check_is_used(server, redis)
        assert redis("-n", "0", "DBSIZE") == ["0"]


def test_unix_socket(tmp_path):
    with RedisServer(tmp_path / "redis", unix=True) as redis:
        with Server(tmp_path / "berth", cached_in(redis.section())) as server:
            check_is_used(server, redis)


def test_tls_with_a_certificate_of_our_own(tmp_path, authority):
    certificate, key = authority.issue("berth-at-redis")
    tls = {"enabled": True, "certificate": str(certificate), "key": str(key), "rootcas": [str(authority.certificate)]}
    with RedisServer(tmp_path / "redis", tls=authority.issue("redis"), authority=authority) as redis:
        with Server(tmp_path / "berth", cached_in(redis.section(tls=tls))) as server:
            check_is_used(server, redis)


def test_tls_to_somebody_else_is_refused(tmp_path, authority):
    pair = authority.issue("redis-elsewhere", names=["DNS:redis.example.org"])
    tls = {"certificate": str(pair[0]), "key": str(pair[1]), "rootcas": [str(authority.certificate)]}
    # redis-cli does not check names, so its start is not held up.
    with RedisServer(tmp_path / "redis", tls=pair, authority=authority) as redis:
        with Server(tmp_path / "berth", cached_in(redis.section(tls=tls))) as server:
            [line] = wait_for_line(server, DOWN)
            assert "the certificate is not accepted" in line
            Puller(server).pull_new()
            assert redis.keys() == []


def test_a_wrong_password_is_told_and_nothing_else_happens(tmp_path):
    lines = ['requirepass "right"']
    with RedisServer(tmp_path / "redis", lines, login=["--pass", "right"]) as redis:
        with Server(tmp_path / "berth", cached_in(redis.section(password=PASSWORD))) as server:
            [line] = wait_for_line(server, DOWN)
            assert "the login is refused: WRONGPASS" in line
            Puller(server).pull_new()
            assert redis.keys() == []
            redis("CONFIG", "SET", "requirepass", PASSWORD)
            redis.client[-1] = PASSWORD
            check_after_return(server, redis, 1)
            assert len(lines_of(server, DOWN)) == 1
            assert not lines_of(server, PASSWORD)


def check_after_return(server, redis, times):
    wait_for_line(server, UP, times)
    digest = Puller(server, "after/return").pull_new()
    assert redis.keys(f"*:after/return@{digest}")


def test_killed_in_the_middle(cached, redis):
    puller = Puller(cached)
    digests = [puller.push() for _ in range(10)]
    puller.pull(digests[0])
    redis.kill()
    for digest in digests:
        puller.pull(digest)
    wait_for_line(cached, DOWN)
    puller.pull_new()
    redis.start()
    check_after_return(cached, redis, 2)
    assert len(lines_of(cached, DOWN)) == 1


def test_not_there_at_the_start(tmp_path):
    redis = RedisServer(tmp_path / "redis")
    with Server(tmp_path / "berth", cached_in(redis.section())) as server:
        wait_for_line(server, DOWN)
        Puller(server).pull_new()
        with redis:
            check_after_return(server, redis, 1)


def test_a_slow_one_costs_its_timeout_once(tmp_path, redis):
    section = redis.section(readtimeout="2s")
    with Server(tmp_path / "berth", cached_in(section)) as server:
        wait_for_line(server, UP)
        puller = Puller(server)
        digests = [puller.push() for _ in range(30)]
        puller.pull(digests[0])
        redis.pause()
        try:
            begin = time.monotonic()
            puller.pull(digests[1])
            assert time.monotonic() - begin >= 2, "Redis was not asked"
            wait_for_line(server, DOWN)
            begin = time.monotonic()
            for digest in digests[2:]:
                puller.pull(digest)
            assert time.monotonic() - begin < 2 * 28, "each of them waited"
        finally:
            redis.go_on()
        check_after_return(server, redis, 2)


def test_a_full_one_is_left_alone(cached, redis):
    redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis("CONFIG", "SET", "maxmemory", "1")
    puller = Puller(cached)
    puller.pull_new()
    [line] = wait_for_line(cached, DOWN)
    assert "OOM" in line
    puller.pull_new()
    redis("CONFIG", "SET", "maxmemory", "0")
    check_after_return(cached, redis, 2)


def test_a_deleted_blob_is_gone_whatever_redis_says(cached, redis):
    puller = Puller(cached)
    digest = puller.pull_new()
    [key] = redis.keys()
    entry = redis.get(key)
    assert puller.wire.call("DELETE", f"/v2/team/app/blobs/{digest}").status == 202
    redis("SET", key, entry)  # as a snapshot that comes back
    puller.pull(digest, 404)
    puller.pull(digest, 404)


def test_an_entry_written_by_hand_is_not_believed(cached, redis):
    puller = Puller(cached)
    digest = puller.pull_new()
    [key] = redis.keys()
    entry = redis.get(key)
    stranger = Puller(cached, "someone/else")
    stranger.push()
    forged = key.replace("team/app", "someone/else")
    for value in (entry, "18", f"18 {'A' * 43}", ""):
        redis("SET", forged, value)
        stranger.pull(digest, 404)
    # As registry:2 writes them.
    redis("SADD", "repository::someone/else::blobs", digest)
    redis("HSET", f"blobs::{digest}", "digest", digest, "size", "18", "mediatype", "application/octet-stream")
    redis("HSET", f"repository::someone/else::blobs::{digest}", "mediatype", "application/octet-stream")
    stranger.pull(digest, 404)


def test_an_entry_of_another_type_does_no_harm(cached, redis):
    puller = Puller(cached)
    digest = puller.push()
    puller.pull_new()
    [key] = redis.keys()
    wrong = key.partition("@")[0] + "@" + digest
    redis("SADD", wrong, "x")
    puller.pull(digest)
    [line] = wait_for_line(cached, DOWN)
    assert "WRONGTYPE" in line
    redis("DEL", wrong)
    check_after_return(cached, redis, 2)


def test_entries_of_the_process_before_are_not_believed(tmp_path, redis):
    server = Server(tmp_path / "berth", cached_in(redis.section()))
    with server:
        wait_for_line(server, UP)
        digest = Puller(server).pull_new()
        [old] = redis.keys()
        entry = redis.get(old)
    with server:
        wait_for_line(server, UP, 2)
        puller = Puller(server)
        puller.count = 1
        other = puller.pull_new()
        [new] = [key for key in redis.keys() if key != old]
        assert puller.wire.call("DELETE", f"/v2/team/app/blobs/{digest}").status == 202
        redis("SET", new.replace(other, digest), entry)
        puller.pull(digest, 404)


def test_memory_that_is_full_is_helped_by_redis(cached, redis):
    """More large blobs than files are kept open: those that were closed are found in Redis."""
    puller = Puller(cached)
    digests = [puller.wire.push_blob("team/app", f"{number:070000}".encode()) for number in range(270)]
    for digest in digests:
        puller.pull(digest)
    hits = int(redis.info("keyspace_hits"))
    for digest in digests:
        puller.pull(digest)
    assert int(redis.info("keyspace_hits")) - hits >= 14


def test_metrics(tmp_path, redis):
    port = free_port()
    debug = {"debug": {"addr": f"127.0.0.1:{port}", "prometheus": {"enabled": True}}}
    with Server(tmp_path / "berth", cached_in(redis.section(), http=debug)) as server:
        wait_for_line(server, UP)
        Puller(server).pull_new()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
    for operation in ("Stat", "SetDescriptor"):
        count = f'registry_storage_cache_redis_seconds_count{{operation="{operation}"}} 1'
        assert count in lines, [line for line in lines if "redis" in line]


def test_without_blobdescriptor_it_is_not_used(tmp_path, redis):
    with Server(tmp_path / "berth", {"redis": redis.section()}) as server:
        before = int(redis.info("total_connections_received"))
        Puller(server).pull_new()
        assert int(redis.info("total_connections_received")) == before + 1, "that of redis-cli"
        assert lines_of(server, "redis: not used")


def test_the_reference_host(tmp_path, redis):
    """Its config.yml, with its places put into this test's: layerinfo is inmemory, so its Redis is left alone."""
    server = Server(tmp_path / "berth")
    text = (ROOT / "tests/e2e/reference-host/config.yml").read_text()
    for old, new in (
        ("/var/lib/registry", str(server.data)),
        ("addr: :5000", f"addr: {server.host}"),
        ("localhost:6379", redis.address),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    server.config_path.write_text(text)
    before = int(redis.info("total_connections_received"))
    with server:
        Puller(server).pull_new()
        assert lines_of(server, "redis: not used")
    assert int(redis.info("total_connections_received")) == before + 1
