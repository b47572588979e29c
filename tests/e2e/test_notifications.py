"""Notifications: what distribution tells its endpoints, told at least once, in order, and whatever becomes of them."""

import collections
import contextlib
import http.client
import json
import re
import threading
import time

import pytest
from images import CONFIG, MANIFEST, Image, index_of, noise, write_layout
from receiver import Receiver, endpoint
from registry2 import Distribution3, Registry2
from server import BINARY, USERS, Server, run, secure_config
from wire import MANIFEST_TYPES, Wire, sha256

LOST = (OSError, http.client.HTTPException)


@pytest.fixture
def receiver():
    with Receiver() as started:
        yield started
        started.stop()


def config_for(*endpoints, **events):
    return {
        "log": {"accesslog": {"disabled": True}},
        "notifications": {"events": events, "endpoints": list(endpoints)},
    }


def tags_of(events, repository=None):
    """The tags of pushes, in order."""
    return [
        event["target"]["tag"]
        for event in events
        if event["action"] == "push"
        and "tag" in event["target"]
        and repository in (None, event["target"]["repository"])
    ]


def small_manifest(wire, repository):
    """The bytes of a manifest whose one blob is there: made once, pushed under many tags."""
    config = b"{}"
    wire.push_blob(repository, config)
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": sha256(config), "size": len(config)},
            "layers": [],
        }
    ).encode()


def push_tags(wire, repository, manifest, tags):
    """All of them in one request: an event for each."""
    target = f"/v2/{repository}/manifests/{sha256(manifest)}?" + "&".join(f"tag={tag}" for tag in tags)
    answer = wire.call("PUT", target, manifest, {"Content-Type": MANIFEST})
    assert answer.status == 201, answer


# What is the same thing on every server, though it never has the same value.


def alike(event, host):
    event = json.loads(json.dumps(event).replace(host, "HOST"))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", event.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", event.pop("timestamp"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", event["request"].pop("addr"))
    assert event["request"].pop("id")
    assert re.fullmatch(r".+:\d+", event["source"].pop("addr"))
    assert event["source"].pop("instanceID")
    assert not event["source"]
    if event["action"] == "delete":  # 3 writes what it does not know
        for name, unknown in (("mediaType", ""), ("size", 0), ("digest", "")):
            if event["target"].get(name) == unknown:
                del event["target"][name]
    for reference in event["target"].get("references", []):
        reference.pop("platform", None)  # 2.8 leaves it out
    return event


def wire_session(server, with_tag_delete):
    """Everything that is told of, one thing after the other."""
    wire = Wire(server)
    image = Image("events")
    digests = list(image.blobs)
    image.push(wire, "team/app", "1.0")
    wire.push_manifest("team/app", image.digest, image.manifest)
    index = index_of([image])
    wire.push_manifest("team/app", "multi", index)
    mount = f"/v2/team/other/blobs/uploads/?mount={digests[0]}&from=team/app"
    assert wire.call("POST", mount, headers={"Content-Length": "0"}).status == 201
    for method in ("GET", "HEAD", "GET"):  # the third from memory
        for reference in ("1.0", image.digest, "multi"):
            target = f"/v2/team/app/manifests/{reference}"
            assert wire.call(method, target, headers={"Accept": MANIFEST_TYPES}).status == 200
        assert wire.call(method, f"/v2/team/app/blobs/{digests[0]}").status == 200
    assert wire.call("GET", f"/v2/team/app/blobs/{digests[0]}", headers={"Range": "bytes=0-9"}).status == 206
    known = {"Accept": MANIFEST_TYPES, "If-None-Match": f'"{image.digest}"'}
    assert wire.call("GET", "/v2/team/app/manifests/1.0", headers=known).status == 304
    # Nothing that fails is told of.
    assert wire.call("GET", "/v2/team/app/manifests/absent", headers={"Accept": MANIFEST_TYPES}).status == 404
    assert wire.call("GET", f"/v2/team/app/blobs/{sha256(b'absent')}").status == 404
    assert wire.call("DELETE", f"/v2/team/app/blobs/{digests[0]}").status == 202
    if with_tag_delete:
        assert wire.call("DELETE", "/v2/team/app/manifests/multi").status == 202
    assert wire.call("DELETE", f"/v2/team/app/manifests/{image.digest}").status == 202
    end(wire, "team/app")
    wire.close()


def end(wire, repository):
    """What is told last: pulls are a moment later than the rest."""
    digest = wire.push_blob(repository, b"the end")
    assert wire.pull_blob(repository, digest).status == 200


def events_of(server, receiver, session):
    with receiver, server:
        session(server)
        last = ("pull", sha256(b"the end"))
        receiver.wait(lambda r: any((e["action"], e["target"].get("digest")) == last for e in r.events))
    return [alike(event, server.host) for event in receiver.events]


@pytest.mark.parametrize("original", [Registry2, Distribution3])
def test_tells_what_the_original_tells(original, tmp_path):
    has_tag_delete = original is Distribution3
    notifications = lambda receiver: config_for(endpoint(receiver), includereferences=True)
    session = lambda server: wire_session(server, has_tag_delete)
    theirs, ours = Receiver(), Receiver()
    expected = events_of(original(tmp_path / "theirs", config=notifications(theirs)), theirs, session)
    told = events_of(Server(tmp_path / "ours", notifications(ours)), ours, session)
    # Pulls are written a moment later, so their place among the others is not kept; each kind's own order is.
    of_kind = lambda events, pulls: [event for event in events if (event["action"] == "pull") == pulls]
    assert of_kind(told, False) == of_kind(expected, False)
    assert of_kind(told, True) == of_kind(expected, True)
    assert collections.Counter(event["action"] for event in told).keys() == {"push", "pull", "mount", "delete"}
    version = "v2" if original is Distribution3 else "v1"
    assert theirs.requests[0][0]["Content-Type"] == f"application/vnd.docker.distribution.events.{version}+json"
    assert ours.requests[0][0]["Content-Type"] == "application/vnd.docker.distribution.events.v2+json"


def test_tells_of_a_crane_session_what_the_original_tells(client_of, tmp_path):
    crane = client_of("crane")
    images = [Image("crane-events", "amd64"), Image("crane-events", "arm64")]
    for image in images:
        write_layout(tmp_path / image.platform["architecture"], [image])

    def session(server):
        app = f"{server.host}/crane/app"
        crane("push", tmp_path / "amd64", f"{app}:amd64")
        crane("push", tmp_path / "arm64", f"{app}:arm64")
        crane("index", "append", "-m", f"{app}:amd64", "-m", f"{app}:arm64", "-t", f"{app}:both")
        crane("copy", f"{app}:amd64", f"{server.host}/crane/copy:1")
        crane("tag", f"{app}:amd64", "again")
        crane("pull", "--format=oci", f"{app}:arm64", tmp_path / f"pulled-{server.port}")
        crane("digest", f"{app}:both")
        crane("delete", f"{server.host}/crane/copy@{images[0].digest}")
        wire = Wire(server)
        end(wire, "crane/app")
        wire.close()

    def in_any_order(events):
        return sorted(json.dumps(event, sort_keys=True) for event in events)

    theirs, ours = Receiver(), Receiver()
    expected = events_of(Registry2(tmp_path / "theirs", config=config_for(endpoint(theirs))), theirs, session)
    told = events_of(Server(tmp_path / "ours", config_for(endpoint(ours))), ours, session)
    # crane pushes several blobs at once.
    assert in_any_order(told) == in_any_order(expected)
    assert {event["action"] for event in told} == {"push", "pull", "mount", "delete"}


def test_names_who_did_it(tmp_path, receiver):
    config = {**secure_config(tmp_path), **config_for(endpoint(receiver))}
    with Server(tmp_path / "server", config) as server:
        wire = Wire(server, "jenkins", USERS["jenkins"])
        wire.push_blob("team/app", b"by jenkins")
        wire.close()
        (event,) = receiver.wait_count(1)
    assert event["actor"] == {"name": "jenkins"}


def test_puts_the_external_host_into_urls(tmp_path, receiver):
    config = {**config_for(endpoint(receiver)), "http": {"host": "https://registry.example.org"}}
    with Server(tmp_path / "server", config) as server:
        wire = Wire(server)
        digest = sha256(b"somewhere")
        assert wire.call("POST", f"/v2/team/app/blobs/uploads/?digest={digest}", b"somewhere").status == 201
        wire.close()
        (event,) = receiver.wait_count(1)
    assert event["target"]["url"] == f"https://registry.example.org/v2/team/app/blobs/{digest}"


def test_tells_a_receiver_that_was_down_when_it_is_back(tmp_path):
    receiver = Receiver()
    with Server(tmp_path / "server", config_for(endpoint(receiver))) as server:
        wire = Wire(server)
        manifest = small_manifest(wire, "team/app")
        for n in range(40):
            push_tags(wire, "team/app", manifest, [f"t{n}"])
            if n == 20:  # and over a restart
                wire.close()
                server.stop()
                server.start()
        wire.close()
        with receiver:
            events = receiver.wait_count(41)
            # Down again in the middle of everything, and up.
            receiver.stop()
            wire = Wire(server)
            push_tags(wire, "team/app", manifest, ["late"])
            receiver.start()
            events = receiver.wait_count(42)
            wire.close()
    assert tags_of(events) == [*(f"t{n}" for n in range(40)), "late"]


def test_tells_again_after_errors_and_timeouts_under_the_same_ids(tmp_path, receiver):
    with Server(tmp_path / "server", config_for(endpoint(receiver, timeout="300ms"))) as server:
        wire = Wire(server)
        manifest = small_manifest(wire, "team/app")
        receiver.wait_count(1)
        receiver.status = 500
        push_tags(wire, "team/app", manifest, ["erring"])
        receiver.wait(lambda r: len(r.requests) > 5)
        receiver.status = 200
        receiver.wait_count(2)
        receiver.delay = 0.6
        push_tags(wire, "team/app", manifest, ["slow"])
        receiver.wait(lambda r: tags_of(r.events).count("slow") >= 3)
        receiver.delay = 0
        push_tags(wire, "team/app", manifest, ["after"])
        receiver.wait_count(4)
        wire.close()
    assert tags_of(receiver.distinct()) == ["erring", "slow", "after"]
    ids = collections.defaultdict(set)
    for _, events in receiver.requests:
        for event in events:
            ids[event["target"].get("tag")].add(event["id"])
    assert all(len(of_one) == 1 for of_one in ids.values())
    log = server.log_text(100_000)
    assert "it answered 500" in log and log.count("it answered 500") <= 2, "a line at first, and one at the threshold"


def test_takes_a_redirect_for_told_and_does_not_follow_it(tmp_path, receiver):
    receiver.status = 302
    with Server(tmp_path / "server", config_for(endpoint(receiver))) as server:
        wire = Wire(server)
        for n in range(3):
            wire.push_blob("team/app", noise(n, 10))
        wire.close()
        receiver.wait_count(3)
    assert len(receiver.events) == 3, "each once"


def test_sends_each_endpoint_what_it_wants_and_keeps_secrets(tmp_path):
    secrets = ["Bearer hush-one", "Basic aHVzaC10d28="]
    with Receiver("/one") as one, Receiver("/two") as two:
        config = config_for(
            endpoint(one, "one", headers={"Authorization": [secrets[0]], "X-More": ["a", "b"]},
                     ignoredmediatypes=["application/octet-stream"]),
            endpoint(two, "two", headers={"Authorization": [secrets[1]]}, ignore={"actions": ["pull", "delete"]}),
            {**endpoint(one, "off"), "disabled": True},
        )  # fmt: skip
        config["log"]["level"] = "debug"
        with Server(tmp_path / "server", config) as server:
            wire = Wire(server)
            image = Image("two")
            image.push(wire, "team/app", "1.0")
            wire.pull_manifest("team/app", "1.0")
            wire.call("DELETE", "/v2/team/app/manifests/1.0")
            wire.push_blob("team/app", b"the end")
            wire.close()
            one.wait_count(3)
            two.wait_count(len(image.blobs) + 2)
            one.status = two.status = 500  # so that failures are logged
            seen = {receiver.path: len(receiver.requests) for receiver in (one, two)}
            Wire(server).push_manifest("team/app", "2.0", image.manifest)
            for receiver in (one, two):
                receiver.wait(lambda r: len(r.requests) > seen[r.path] + 4)
            one.status = two.status = 200
        printed = run([BINARY, "config", "print", server.config_path])
    assert {event["action"] for event in one.events[:3]} == {"push", "pull", "delete"}
    assert not any(e["target"].get("mediaType") == "application/octet-stream" for e in one.events)
    assert {event["action"] for event in two.events} == {"push"}
    assert all(headers["Authorization"] == secrets[0] for headers, _ in one.requests)
    assert all(headers["Authorization"] == secrets[1] for headers, _ in two.requests)
    for secret in [*secrets, "hush", "aHVzaC10d28"]:
        assert secret not in server.log.read_text()
        assert secret not in printed


def test_a_full_queue_loses_the_oldest_and_says_so(tmp_path):
    receiver = Receiver()
    with Server(tmp_path / "server", config_for(endpoint(receiver), max=1000)) as server:
        wire = Wire(server)
        manifest = small_manifest(wire, "team/app")
        names = [f"t{n}" for n in range(3000)]
        for first in range(0, len(names), 50):
            push_tags(wire, "team/app", manifest, names[first : first + 50])
        wire.close()
        # It is trimmed at the start, too.
        server.stop()
        server.start()
        deadline = time.monotonic() + 30
        while "the queue is full" not in server.log.read_text():
            assert time.monotonic() < deadline, server.log_text()
            time.sleep(0.02)
        with receiver:
            events = receiver.wait_count(1000)
    assert tags_of(events) == names[-1000:]
    assert re.search(r"the queue is full.*count=2001", server.log.read_text())


def rss_of(server):
    status = open(f"/proc/{server.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


def test_memory_stays_flat_while_50000_events_wait(tmp_path):
    receiver = Receiver()
    with Server(tmp_path / "server", config_for(endpoint(receiver))) as server:
        wire = Wire(server)
        manifest = small_manifest(wire, "team/app")
        names = [f"t{n}" for n in range(50_000)]
        before = None
        for first in range(0, len(names), 50):
            push_tags(wire, "team/app", manifest, names[first : first + 50])
            if first == 2000:
                before = rss_of(server)
        waiting = rss_of(server)
        wire.close()
        status = json.loads(run([BINARY, "events", "status", "--json", "--config", server.config_path]))
        assert status["endpoints"] == [{"name": "hook", "disabled": False, "told": 0, "pending": 50_001}]
        with receiver:
            events = receiver.wait_count(50_001, seconds=120)
        told = rss_of(server)
    assert tags_of(events) == names
    print(f"RSS {before:.1f} MiB with 2,000 events, {waiting:.1f} with 50,000, {told:.1f} when they were told")
    # 50,000 events are some 50 MB of text.
    assert waiting < before + 16
    assert told < waiting + 8


def test_is_listed_and_told_again_by_commands_beside_the_server(tmp_path, receiver):
    with Server(tmp_path / "server", config_for(endpoint(receiver))) as server:
        command = lambda *args: run([BINARY, "events", *args, "--config", server.config_path])
        wire = Wire(server)
        manifest = small_manifest(wire, "team/app")
        push_tags(wire, "team/app", manifest, ["a", "b", "c"])
        wire.close()
        receiver.wait_count(4)

        listed = json.loads(command("list", "--json"))
        assert [event["id"] for event in listed] == [1, 2, 3, 4]
        assert listed[1]["action"] == "push" and listed[1]["tag"] == "a"
        assert [e["id"] for e in json.loads(command("list", "--json", "--after", "1", "--limit", "2"))] == [2, 3]
        assert "team/app" in command("list")
        assert "4 events are kept: 1 to 4" in command("status")

        def again(count, *args):
            before = len(receiver.events)
            assert f"told {count} events again" in command("replay", "--endpoint", "hook", *args)
            receiver.wait(lambda r: len(r.events) >= before + count)
            return receiver.events[before:]

        assert again(2, "--last", "2") == receiver.events[2:4]
        assert again(3, "--since", "2") == receiver.events[1:4]
        assert again(4, "--since", "2020-01-01") == receiver.events[:4]
        assert again(4, "--last", "1000") == receiver.events[:4]
        assert "nothing to tell again" in command("replay", "--endpoint", "hook", "--since", "5")
        assert "nothing to tell again" in command("replay", "--endpoint", "hook", "--since", "2100-01-01")
        for wrong, words in [
            (["--endpoint", "nobody", "--last", "1"], "no endpoint nobody"),
            (["--endpoint", "hook", "--since", "yesterday"], "'yesterday' is no time"),
            (["--endpoint", "hook"], "required"),
        ]:
            with pytest.raises(Exception, match=words):
                command("replay", *wrong)


class Pusher(threading.Thread):
    """Pushes tags into a repository of its own until its server goes away; knows what was acknowledged."""

    def __init__(self, server, number, manifest, first):
        super().__init__(name=f"pusher {number}")
        self.server = server
        self.repository = f"killed/p{number}"
        self.manifest = manifest
        self.next = first
        self.acknowledged = []
        self.failure = None

    def run(self):
        wire = Wire(self.server)
        try:
            while True:
                tag = f"t{self.next}"
                self.next += 1
                wire.push_manifest(self.repository, tag, self.manifest)
                self.acknowledged.append(tag)
        except LOST:
            pass
        except BaseException as failure:  # shown by the test
            self.failure = failure
        finally:
            wire.close()


def test_nothing_is_lost_where_server_and_receiver_are_killed_under_load(tmp_path):
    receiver = Receiver()
    server = Server(tmp_path / "server", config_for(endpoint(receiver)))
    acknowledged = collections.defaultdict(list)
    try:
        server.start()
        wire = Wire(server)
        manifests = {n: small_manifest(wire, f"killed/p{n}") for n in range(4)}
        wire.close()
        first = dict.fromkeys(range(4), 0)
        for round_ in range(12):
            (receiver.start if round_ % 3 != 1 else receiver.stop)()
            pushers = [Pusher(server, n, manifests[n], first[n]) for n in range(4)]
            for pusher in pushers:
                pusher.start()
            deadline = time.monotonic() + 20
            while sum(len(pusher.acknowledged) for pusher in pushers) < 20 + 10 * round_:
                assert time.monotonic() < deadline, server.log_text()
                time.sleep(0.001)
            server.kill()
            for n, pusher in enumerate(pushers):
                pusher.join(30)
                assert pusher.failure is None, pusher.failure
                acknowledged[pusher.repository] += pusher.acknowledged
                first[n] = pusher.next
            receiver.stop()
            server.start(seconds=20)
        receiver.start()
        count = lambda: sum(len(tags) for tags in acknowledged.values())
        receiver.wait(lambda r: all(set(tags) <= set(tags_of(r.events, repo)) for repo, tags in acknowledged.items()))
        server.stop()
    finally:
        receiver.stop()
        with contextlib.suppress(Exception):
            server.kill()
    for repository in acknowledged:
        told = tags_of(receiver.distinct(), repository)
        assert told == sorted(told, key=lambda tag: int(tag[1:])), f"out of order in {repository}"
        assert len(told) == len(set(told)), "one push under two ids"
    print(f"{count()} acknowledged pushes, {len(receiver.events)} events told, {len(receiver.distinct())} of them once")
    assert count() > 500
