"""SIGKILL, hundreds of times, while writers push: what was acknowledged is there, and nothing unverified is served.

Each writer owns one repository and does one thing at a time, so that it knows what must be true: what it got a 2xx
for, and the one request whose answer never came, which may or may not have happened. After each kill the server is
started again and asked for everything acknowledged since the last one, and for a sample of all before; at the end for
everything. The seed is printed with a failure: BERTH_KILL_SEED repeats its choices (not its timing).
"""

import dataclasses
import hashlib
import http.client
import json
import os
import random
import threading
import time

from images import CONFIG, LAYER, MANIFEST, noise
from server import Server
from wire import Wire, sha256, with_query

KILLS = 200
WRITERS = 6
SAMPLE = 40
LOST = (OSError, http.client.HTTPException)
GONE = object()


class Stopped(Exception):
    """The server was killed under a request."""


@dataclasses.dataclass
class Upload:
    """A session whose end the writer did not see."""

    location: str
    data: bytes
    sent: int  # how many bytes have left, at most


class Writer(threading.Thread):
    """Pushes into one repository until its server goes away."""

    def __init__(self, server, number, seed):
        super().__init__(name=f"writer {number}")
        self.server = server
        self.number = number
        self.repository = f"kill/w{number}"
        self.random = random.Random(f"{seed}-{number}")
        self.count = 0
        self.blobs = {}  # digest → its bytes' recipe
        self.manifests = {}  # digest → bytes, or GONE when its delete was acknowledged
        self.tags = {}  # tag → the digests it may stand for; GONE among them: it may be absent
        self.fresh = []  # ("blob" | "manifest" | "tag", key) acknowledged since the last check
        self.upload = None
        self.failure = None

    def next_round(self):
        """A new thread's worth of the same writer."""
        again = Writer(self.server, self.number, "")
        again.__dict__.update({k: v for k, v in self.__dict__.items() if k in vars_of_state})
        return again

    def run(self):
        self.wire = Wire(self.server)
        try:
            while True:
                self.step()
        except Stopped:
            pass
        except BaseException as failure:  # shown by the test
            self.failure = failure
        finally:
            self.wire.close()

    def call(self, *args, **options):
        try:
            return self.wire.call(*args, **options)
        except LOST:
            raise Stopped from None

    def step(self):
        kind = self.random.choices(
            ["monolithic", "one request", "chunked", "streamed", "image", "retag", "delete tag", "delete image", "mount"],
            [20, 10, 15, 15, 25, 10, 3, 3, 5],
        )[0]
        getattr(self, "do_" + kind.replace(" ", "_"))()

    def recipe(self):
        self.count += 1
        size = self.random.choice([0, 1, 700, 5_000, 40_000, 40_000, 300_000, 1_500_000])
        return f"{self.number}-{self.count}", size

    def acknowledged_blob(self, recipe, data):
        self.blobs[sha256(data)] = recipe
        self.fresh.append(("blob", sha256(data)))
        self.upload = None

    def begin(self):
        answer = self.call("POST", f"/v2/{self.repository}/blobs/uploads/", headers={"Content-Length": "0"})
        assert answer.status == 202, answer
        return answer.headers["Location"]

    def close_upload(self, location, data, rest):
        answer = self.call("PUT", with_query(location, digest=sha256(data)), rest)
        assert answer.status == 201, answer

    def do_monolithic(self):
        recipe = self.recipe()
        data = noise(*recipe)
        location = self.begin()
        self.upload = Upload(location, data, len(data))
        self.close_upload(location, data, data)
        self.acknowledged_blob(recipe, data)

    def do_one_request(self):
        recipe = self.recipe()
        data = noise(*recipe)
        target = with_query(f"/v2/{self.repository}/blobs/uploads/", digest=sha256(data))
        answer = self.call("POST", target, data)
        assert answer.status == 201, answer
        self.acknowledged_blob(recipe, data)

    def do_chunked(self):
        recipe = self.recipe()
        data = noise(*recipe)
        location = self.begin()
        step = max(1, len(data) // self.random.randint(1, 4))
        for first in range(0, len(data), step):
            part = data[first : first + step]
            self.upload = Upload(location, data, first + len(part))
            answer = self.call("PATCH", location, part, {"Content-Range": f"{first}-{first + len(part) - 1}"})
            assert answer.status == 202, answer
            location = answer.headers["Location"]
        self.close_upload(location, data, b"")
        self.acknowledged_blob(recipe, data)

    def do_streamed(self):
        recipe = self.recipe()
        data = noise(*recipe)
        location = self.begin()
        self.upload = Upload(location, data, len(data))
        parts = [data[first : first + 8192] for first in range(0, len(data), 8192)]
        answer = self.call("PATCH", location, iter(parts), {"Transfer-Encoding": "chunked"})
        assert answer.status == 202, answer
        self.close_upload(answer.headers["Location"], data, b"")
        self.acknowledged_blob(recipe, data)

    def do_image(self):
        while len(self.blobs) < 2:
            self.do_monolithic()
        config, *layers = self.random.sample(sorted(self.blobs), self.random.randint(2, min(4, len(self.blobs))))
        self.count += 1
        data = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": config, "size": self.blobs[config][1]},
                "layers": [{"mediaType": LAYER, "digest": d, "size": self.blobs[d][1]} for d in layers],
                "annotations": {"number": f"{self.number}-{self.count}"},
            }
        ).encode()
        self.put_manifest(f"t{self.random.randint(0, 30)}", data)

    def do_retag(self):
        here = [digest for digest, data in self.manifests.items() if data is not GONE]
        if here:
            self.put_manifest(f"t{self.random.randint(0, 30)}", self.manifests[self.random.choice(here)])

    def put_manifest(self, tag, data):
        digest = sha256(data)
        before = self.tags.get(tag, {GONE})
        self.tags[tag] = before | {digest}
        answer = self.call("PUT", f"/v2/{self.repository}/manifests/{tag}", data, {"Content-Type": MANIFEST})
        assert answer.status == 201, answer
        self.tags[tag] = {digest}
        self.manifests[digest] = data
        self.fresh += [("manifest", digest), ("tag", tag)]

    def do_delete_tag(self):
        if self.tags:
            tag = self.random.choice(sorted(self.tags))
            unsure = self.tags[tag]
            self.tags[tag] = unsure | {GONE}
            answer = self.call("DELETE", f"/v2/{self.repository}/manifests/{tag}")
            assert answer.status == 202 or (answer.status == 404 and GONE in unsure), answer
            self.tags[tag] = {GONE}
            self.fresh.append(("tag", tag))

    def do_delete_image(self):
        here = [digest for digest, data in self.manifests.items() if data is not GONE]
        if not here:
            return
        digest = self.random.choice(here)
        kept = self.manifests.pop(digest)  # from here on it may be there or not
        touched = {tag: may for tag, may in self.tags.items() if digest in may}
        for tag, may in touched.items():
            self.tags[tag] = may | {GONE}
        answer = self.call("DELETE", f"/v2/{self.repository}/manifests/{digest}")
        assert answer.status == 202, (answer, kept)
        self.manifests[digest] = GONE
        for tag, may in touched.items():
            self.tags[tag] = (may | {GONE}) - {digest}
        self.fresh += [("manifest", digest), *(("tag", tag) for tag in touched)]

    def do_mount(self):
        """A blob of the next writer's repository, which may be gone from this model's view: 202 then."""
        if not self.blobs:
            return
        digest = self.random.choice(sorted(self.blobs))
        target = f"/v2/{self.repository}-mounted/blobs/uploads/?mount={digest}&from={self.repository}"
        answer = self.call("POST", target, headers={"Content-Length": "0"})
        assert answer.status == 201, answer
        self.fresh.append(("mounted", digest))


vars_of_state = (
    "server number repository random count blobs manifests tags fresh upload".split()
)  # what a writer takes into its next thread


class Checker:
    """Asks a freshly started server whether a writer's model is true."""

    def __init__(self, server):
        self.server = server
        self.wire = Wire(server)
        self.resumed = 0
        self.gone = 0

    def check(self, writer, kind, key):
        getattr(self, kind)(writer, key)

    def blob(self, writer, digest, repository=None):
        answer = self.wire.pull_blob(repository or writer.repository, digest)
        assert answer.status == 200, f"acknowledged blob {digest} of {writer.repository} is lost: {answer}"
        assert answer.body == noise(*writer.blobs[digest]), f"{digest} is not what was pushed"

    def mounted(self, writer, digest):
        self.blob(writer, digest, writer.repository + "-mounted")

    def manifest(self, writer, digest):
        data = writer.manifests.get(digest)
        if data is None:
            return
        answer = self.wire.pull_manifest(writer.repository, digest)
        if data is GONE:
            assert answer.status == 404, f"deleted manifest {digest} is back: {answer}"
        else:
            assert answer.status == 200, f"acknowledged manifest {digest} is lost: {answer}"
            assert answer.body == data

    def tag(self, writer, tag):
        may = writer.tags[tag]
        answer = self.wire.pull_manifest(writer.repository, tag)
        if answer.status == 404:
            assert GONE in may, f"tag {tag} of {writer.repository} is lost: {answer}"
            writer.tags[tag] = {GONE}
            return
        assert answer.status == 200, f"tag {tag} of {writer.repository} points to something unreadable: {answer}"
        digest = sha256(answer.body)
        assert digest in may, f"tag {tag} of {writer.repository} is {digest}, not one of {may}"
        # What an unanswered push left is settled now, and counts as acknowledged from here on.
        writer.tags[tag] = {digest}
        writer.manifests[digest] = answer.body
        for blob in json.loads(answer.body)["layers"]:
            head = self.wire.call("HEAD", f"/v2/{writer.repository}/blobs/{blob['digest']}")
            assert head.status == 200 and int(head.headers["Content-Length"]) == blob["size"], head

    def upload(self, writer):
        """The session that was open at the kill: it goes on where the server says, or it is unknown."""
        upload, writer.upload = writer.upload, None
        status = self.wire.call("GET", upload.location)
        if status.status == 404:
            self.gone += 1
            # It may have been closed without the answer getting through; then the blob is whole.
            answer = self.wire.pull_blob(writer.repository, sha256(upload.data))
            assert answer.status == 404 or answer.body == upload.data
            return
        assert status.status == 204, status
        last = int(status.headers["Range"].removeprefix("0-"))
        for kept in (last + 1, 0) if last == 0 else (last + 1,):
            assert kept <= upload.sent or last == 0, f"{kept} bytes kept of {upload.sent} sent"
            answer = self.wire.call(
                "PUT", with_query(status.headers["Location"], digest=sha256(upload.data)), upload.data[kept:],
                headers={"Content-Range": f"{kept}-{len(upload.data) - 1}"} if kept < len(upload.data) else {},
            )  # fmt: skip
            if answer.status == 201:
                break
        assert answer.status == 201, f"could not go on at {status.headers['Range']}: {answer}"
        assert self.wire.pull_blob(writer.repository, sha256(upload.data)).body == upload.data
        self.resumed += 1

    def everything(self, writer):
        for digest in writer.blobs:
            self.blob(writer, digest)
        for digest in list(writer.manifests):
            self.manifest(writer, digest)
        for tag in list(writer.tags):
            self.tag(writer, tag)
        standing = sorted(tag for tag, may in writer.tags.items() if GONE not in may)
        if standing:
            assert self.wire.tags(writer.repository) == standing


def unverified_files(data):
    """Blob files whose bytes are not their name's."""
    tree = data / "docker/registry/v2/blobs/sha256"
    return [
        str(path)
        for path in tree.glob("*/*/data")
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.parent.name
    ]


def one_round(server, writers, chance):
    """Runs the writers, kills the server under them, and returns writers that know what may be true."""
    for writer in writers:
        writer.start()
    time.sleep(chance.choice([0.02, 0.1, 0.2, 0.4]) * chance.uniform(0.5, 1.5))
    server.kill()
    for writer in writers:
        writer.join(30)
        assert not writer.is_alive(), f"{writer.name} hangs"
        if writer.failure:
            raise writer.failure
    return [writer.next_round() for writer in writers]


def check_round(checker, writers, chance):
    for writer in writers:
        if writer.upload:
            checker.upload(writer)
        known = [("blob", digest) for digest in writer.blobs] + [("tag", tag) for tag in writer.tags]
        older = chance.sample(known, min(SAMPLE // WRITERS, len(known)))
        # A tag that no answer settled is asked for too: what it points to must be whole.
        unsettled = [("tag", tag) for tag, may in writer.tags.items() if len(may) > 1]
        for kind, key in dict.fromkeys([*writer.fresh, *older, *unsettled]):
            checker.check(writer, kind, key)
        writer.fresh = []


def test_nothing_acknowledged_is_lost_over_200_kills(tmp_path):
    seed = os.environ.get("BERTH_KILL_SEED") or str(time.time_ns())
    chance = random.Random(seed)
    server = Server(tmp_path / "server", {"log": {"level": "warn", "accesslog": {"disabled": True}}})
    writers = [Writer(server, number, seed) for number in range(WRITERS)]
    slowest = resumed = gone = 0
    try:
        server.start()
        for kill in range(KILLS):
            writers = one_round(server, writers, chance)
            began = time.monotonic()
            server.start(seconds=20)
            slowest = max(slowest, time.monotonic() - began)
            checker = Checker(server)
            check_round(checker, writers, chance)
            resumed, gone = resumed + checker.resumed, gone + checker.gone
            checker.wire.close()
        checker = Checker(server)
        for writer in writers:
            checker.everything(writer)
        checker.wire.close()
        server.stop()
        assert unverified_files(server.data) == []
    except BaseException:
        print(f"seed {seed}")
        print(server.log_text())
        raise
    finally:
        if server.process:
            server.kill()
    blobs = sum(len(writer.blobs) for writer in writers)
    tags = sum(len(writer.tags) for writer in writers)
    print(
        f"{KILLS} kills: {blobs} blobs, {tags} tags, {resumed} uploads resumed, {gone} gone, "
        f"slowest start {slowest * 1000:.0f} ms"
    )
    assert blobs > KILLS and tags and resumed, "too little happened to mean anything"
    server.remove_data()
