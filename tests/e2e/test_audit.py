"""The audit log of a real server: who did what, the chain over crashes and rotations, `berth audit`, no secrets."""

import base64
import http.client
import json
import re
import signal
import subprocess
import threading
import time

import pytest
import server as berth
from images import Image, write_layout
from refusals import NOT_ALLOWED, WRONG_PASSWORD
from server import USERS, Server, run, secure_config
from wire import Wire

WRONG = "not-her-password-at-all"
LOST = (OSError, http.client.HTTPException)


def audited(folder, authority=None, users=True, **audit):
    """A server with an audit log, not started."""
    config = secure_config(folder) if users else {}
    path = folder / "audit.log"
    config["audit"] = {"path": str(path), **audit}
    tls = {"tls": authority.issue("audited"), "trust": authority.trust()} if authority else {}
    registry = Server(folder, config, **tls)
    registry.audit = path
    return registry


def files_of(registry):
    """Oldest first."""
    rotated = [p for p in registry.folder.glob("audit.log.*") if p.suffix[1:].isdigit()]
    here = [registry.audit] if registry.audit.exists() else []
    return sorted(rotated, key=lambda p: -int(p.suffix[1:])) + here


def lines_of(registry):
    return [json.loads(line) for path in files_of(registry) for line in path.read_bytes().splitlines()]


def events_of(registry):
    return [line["event"] for line in lines_of(registry)]


def records_of(registry, **fields):
    return [line for line in lines_of(registry) if all(line.get(key) == value for key, value in fields.items())]


def wait_for(registry, what, seconds=10, **fields):
    """The first record like this; the log is written within half a second."""
    deadline = time.monotonic() + seconds
    while not (found := records_of(registry, **fields)):
        assert time.monotonic() < deadline, f"no record of {what}: {fields} in {lines_of(registry)[-20:]}"
        time.sleep(0.02)
    return found[0]


def audit(registry, command, *args):
    return run([berth.BINARY, "audit", command, "--config", registry.config_path, *args])


def refused(registry, command, *args):
    with pytest.raises(berth.Failed) as failure:
        audit(registry, command, *args)
    assert failure.value.code == 1, failure.value
    return failure.value.output


def verified(registry):
    """The verdict, which must be a good one."""
    verdict = json.loads(audit(registry, "verify", "--json"))
    assert verdict["whole"], verdict
    return verdict


@pytest.fixture(scope="module")
def story(tmp_path_factory, authority, client_of):
    """One server on which skopeo and a machine do this and that; stopped. Its secrets are in `secrets`."""
    registry = audited(tmp_path_factory.mktemp("audited"), authority)
    image = Image("audit")
    layout = registry.folder / "layout"
    write_layout(layout, [image], "1.0")
    target = f"docker://{registry.host}/team/app:1.0"
    registry.start()

    def skopeo(user, password):
        client = client_of("skopeo", f"audit-{user}")
        certificates = client.folder / "certificates"
        certificates.mkdir()
        (certificates / "ca.crt").write_bytes(authority.certificate.read_bytes())
        client.login = ("--cert-dir", certificates, "-u", user, "-p", password, registry.host)
        client.copy = lambda source, to, side: (
            "copy", "--authfile", client.folder / "auth.json", f"--{side}-cert-dir", certificates, source, to
        )  # fmt: skip
        return client

    jenkins = skopeo("jenkins", USERS["jenkins"])
    jenkins("login", "--authfile", jenkins.folder / "auth.json", *jenkins.login)
    jenkins(*jenkins.copy(f"oci:{layout}:1.0", target, "dest"))

    alice = skopeo("alice", USERS["alice"])
    alice("login", "--authfile", alice.folder / "auth.json", *alice.login)
    alice(*alice.copy(target, f"oci:{registry.folder / 'pulled'}:1.0", "src"))
    alice.refused(*alice.copy(f"oci:{layout}:1.0", target, "dest"), saying=NOT_ALLOWED)

    stranger = skopeo("mallory", WRONG)
    stranger.refused("login", "--authfile", stranger.folder / "auth.json", *stranger.login, saying=WRONG_PASSWORD)

    made = ["token", "create", "--config", registry.config_path, "--robot", "ci", "--allow", "pull:team/**", "--json"]
    token = json.loads(run([berth.BINARY, *made]))["secret"]
    robot = Wire(registry, "ci", token)
    assert robot.pull_manifest("team/app", "1.0").status == 200
    assert robot.call("DELETE", "/v2/team/app/manifests/1.0").status == 403
    robot.close()
    guess = Wire(registry, "ci", token[:-4] + "0000")
    assert guess.call("GET", "/v2/").status == 401
    guess.close()

    registry.stop()
    registry.image = image
    registry.secrets = [*USERS.values(), WRONG, token, token[:-4] + "0000"]
    for user, secret in [*USERS.items(), ("mallory", WRONG), ("ci", token)]:
        registry.secrets.append(base64.b64encode(f"{user}:{secret}".encode()).decode())
    return registry


def test_a_push_is_recorded_with_who_where_and_why(story):
    (record,) = records_of(story, user="jenkins", method="PUT", reference="1.0")
    assert record["proof"] == "htpasswd" and record["kind"] == "user"
    assert record["address"] == "127.0.0.1"
    assert record["action"] == "create"
    assert record["repository"] == "team/app"
    assert record["rule"] == "CI pushes"
    assert record["allowed"] is True and record["status"] == 201 and record["reason"] == ""
    assert record["request"]
    assert record["at"].endswith("Z") and len(record["at"]) == len("2026-11-24T13:44:07.208Z")


def test_a_pull_is_recorded(story):
    record = records_of(story, user="alice", method="GET", action="pull", reference="1.0")[0]
    assert record["repository"] == "team/app"
    assert record["allowed"] is True and record["status"] == 200
    # alice's rule: that of the policy which lets everybody pull.
    assert record["rule"] == "everyone pulls"
    for digest in story.image.blobs:
        assert records_of(story, user="alice", action="pull", reference=digest, status=200), digest


def test_a_denied_push_is_recorded(story):
    denied = [record for record in records_of(story, user="alice", allowed=False) if record["action"] != "pull"]
    assert denied
    for record in denied:
        assert record["status"] == 403
        assert record["proof"] == "htpasswd" and record["address"] == "127.0.0.1"
        assert record["action"] == "create" and record["repository"] == "team/app"
        assert record["reason"]


def test_a_failed_login_is_recorded(story):
    (record, *_) = records_of(story, user="mallory")
    assert record["action"] == "login"
    assert record["allowed"] is False and record["status"] == 401
    assert record["proof"] == "none" and record["kind"] == "" and record["address"] == "127.0.0.1"


def test_a_robot_is_recorded(story):
    record = records_of(story, user="ci", action="pull", allowed=True)[0]
    assert record["kind"] == "robot" and re.fullmatch("token:[a-z2-7]{8}", record["proof"])
    record = records_of(story, user="ci", action="delete")[0]
    assert record["allowed"] is False and record["status"] == 403


def test_the_log_begins_and_ends_in_good_order(story):
    events = events_of(story)
    assert events[:2] == ["opened", "started"] and events[-1] == "stopped"
    assert [line["seq"] for line in lines_of(story)] == list(range(1, len(events) + 1))
    assert lines_of(story)[0]["prev"] == "0" * 64
    assert verified(story)["lines"] == len(events)
    assert story.audit.stat().st_mode & 0o007 == 0


def test_a_hash_can_be_checked_by_hand(story):
    """The recipe of the manual."""
    number = len(lines_of(story)) // 2
    recipe = f"""sed -n '{number}s/,"hash":"[0-9a-f]*"}}$//p' audit.log | tr -d '\\n' | sha256sum"""
    shown = subprocess.run(["sh", "-c", recipe], cwd=story.folder, capture_output=True, text=True, check=True)
    assert shown.stdout.split()[0] == lines_of(story)[number - 1]["hash"] == lines_of(story)[number]["prev"]


def test_no_secret_is_in_any_log(story):
    text = story.audit.read_text() + story.log.read_text(errors="replace")
    assert "alice" in text and "mallory" in text
    for secret in story.secrets:
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text


def test_verify_says_what_was_done_to_the_log(story, tmp_path):
    whole = story.audit.read_bytes()
    lines = whole.splitlines(keepends=True)
    head = verified(story)["head"]
    damaged = tmp_path / "audit.log"

    def verdict(content, *args):
        damaged.write_bytes(content)
        return refused(story, "verify", damaged, *args)

    assert f"head: {head}" in audit(story, "verify")
    assert f"head: {head}" in audit(story, "verify", "--expect", head)
    forged = whole.replace(b'"allowed":false', b'"allowed":true', 1)
    place = whole[: whole.index(b'"allowed":false')].count(b"\n") + 1
    assert f"{damaged} line {place}: the line was changed" in verdict(forged)
    assert f"{damaged} line 5: lines are missing" in verdict(b"".join(lines[:4] + lines[5:]))
    assert f"{damaged} line 1: the beginning of the file was cut off" in verdict(b"".join(lines[3:]))
    assert f"{damaged} line 4: the lines are not in order" in verdict(b"".join(lines[:3] + lines[2:]))
    # The end that was cut off shows only to whom noted the head.
    damaged.write_bytes(b"".join(lines[:-1]))
    assert "whole" in audit(story, "verify", damaged)
    assert "no line has the hash" in refused(story, "verify", damaged, "--expect", head)
    shown = verdict(b"".join(lines[:-1]), "--json", "--expect", head)
    assert json.loads(shown[: shown.rindex("}") + 1])["whole"] is False


def test_show_is_for_people(story):
    table = audit(story, "show", "-n", "0")
    assert "mallory" in table and "team/app:1.0" in table and "CI pushes" in table
    only = audit(story, "show", "--user", "alice", "--denied").splitlines()
    assert len(only) > 1 and all("alice" in line and "403 denied" in line for line in only[1:])
    assert len(audit(story, "show", "-n", "3").splitlines()) == 4
    assert "mallory" not in audit(story, "show", "--repository", "team/**")
    assert len(audit(story, "show", "--repository", "other/*").splitlines()) == 1
    assert len(audit(story, "show", "--since", "1h", "-n", "0").splitlines()) == len(table.splitlines())
    assert len(audit(story, "show", "--since", "2999-01-01").splitlines()) == 1
    raw = audit(story, "show", "--json", "-n", "2").splitlines()
    assert [json.loads(line) for line in raw] == [line for line in lines_of(story) if line["event"] == "access"][-2:]
    assert "--since takes" in refused(story, "show", "--since", "soon")


def test_a_name_reaches_no_terminal_raw(tmp_path):
    with audited(tmp_path) as registry:
        evil = Wire(registry, "\u202eeve\u009b31m \"q\" \\", "x")
        assert evil.call("GET", "/v2/").status == 401
        evil.close()
        wait_for(registry, "the login", action="login")
        text = audit(registry, "show") + registry.audit.read_text()
        assert "eve" in text and "\u202e" not in text and "\u009b" not in text and "\x1b" not in text


def test_pulls_can_be_left_out(tmp_path):
    with audited(tmp_path, pulls=False) as registry:
        wire = Wire(registry, "jenkins", USERS["jenkins"])
        image = Image("quiet")
        image.push(wire, "quiet/app", "1")
        for _ in range(3):
            assert wire.pull_manifest("quiet/app", "1").status == 200
        stranger = Wire(registry)
        assert stranger.pull_manifest("quiet/app", "1").status == 401
        wire.call("DELETE", f"/v2/quiet/app/manifests/{image.digest}")
        wait_for(registry, "the delete", action="delete", status=202)
        assert not records_of(registry, action="pull", allowed=True)
        wire.close()
        stranger.close()


class Puller(threading.Thread):
    """Asks for one manifest until it is told to stop or the server is gone; counts the answers."""

    def __init__(self, registry, repository):
        super().__init__()
        self.wire = Wire(registry)
        self.repository = repository
        self.answers = 0
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.is_set():
                assert self.wire.pull_manifest(self.repository, "1").status == 200
                self.answers += 1
        except LOST:
            pass
        finally:
            self.wire.close()


def loaded(registry):
    """Pullers at work on a server that is open to all."""
    wire = Wire(registry)
    Image("load").push(wire, "load/app", "1")
    wire.close()
    pullers = [Puller(registry, "load/app") for _ in range(4)]
    for puller in pullers:
        puller.start()
    return pullers


def end(pullers):
    for puller in pullers:
        puller.ended.set()
    for puller in pullers:
        puller.join()
    return sum(puller.answers for puller in pullers)


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_chain_outlives_kills_under_load(tmp_path):
    registry = audited(tmp_path, users=False)
    for number in range(5):
        registry.start()
        before = len(lines_of(registry))
        pullers = loaded(registry)
        wait_until(lambda: len(lines_of(registry)) > before + 200)
        registry.kill()
        end(pullers)
        if number % 2:
            # What a kill rarely leaves and a power cut often: a line in part.
            with open(registry.audit, "ab") as file:
                file.write(b'{"seq":99,"prev":"01')
            assert "is not whole" in refused(registry, "verify")
    with registry:
        verified(registry)
    events = events_of(registry)
    assert events.count("started") == 6 and events.count("opened") == 1 and events.count("stopped") == 1
    resumed = records_of(registry, event="resumed")
    assert len(resumed) >= 2 and all(line["bytes"] > 0 for line in resumed)
    assert verified(registry)["lines"] == len(events)


def test_rotates_under_load_and_loses_nothing(tmp_path):
    registry = audited(tmp_path, users=False, bytes="64KiB", files=1000)
    with registry:
        pullers = loaded(registry)
        wait_until(lambda: len(files_of(registry)) > 5)
        answers = end(pullers)
    verdict = verified(registry)
    assert len(verdict["files"]) > 5 and verdict["first"] == 1 and verdict["lost"] == 0
    pulls = records_of(registry, action="pull", method="GET", status=200)
    assert len(pulls) == answers
    sizes = [path.stat().st_size for path in files_of(registry)[:-1]]
    assert all(64 * 1024 <= size < 128 * 1024 for size in sizes), sizes


def test_the_oldest_files_go(tmp_path):
    registry = audited(tmp_path, users=False, bytes="64KiB", files=2)
    with registry:
        pullers = loaded(registry)
        wait_until(lambda: len(files_of(registry)) == 3 and lines_of(registry)[0]["seq"] > 1)
        end(pullers)
    verdict = verified(registry)
    assert len(verdict["files"]) == 3 and verdict["first"] > 1
    assert "in files that are no longer there" in audit(registry, "verify")


def test_logrotate_may_rename_it(tmp_path):
    registry = audited(tmp_path, users=False)
    with registry:
        pullers = loaded(registry)
        for number in (3, 2, 1):
            wait_until(lambda: registry.audit.exists() and registry.audit.stat().st_size > 20_000)
            registry.audit.rename(registry.folder / f"audit.log.{number}")
            registry.process.send_signal(signal.SIGHUP)
            wait_until(registry.audit.exists)
        answers = end(pullers)
    verdict = verified(registry)
    assert len(verdict["files"]) == 4 and verdict["lost"] == 0
    assert len(records_of(registry, action="pull", method="GET", status=200)) == answers


def test_a_log_that_is_none_stops_the_start(tmp_path):
    registry = audited(tmp_path, users=False)
    registry.audit.write_text("precious notes\n")
    process = registry.spawn()
    assert process.wait(10) == 1
    assert f"{registry.audit} does not end like an audit log" in registry.log_text()
    assert registry.audit.read_text() == "precious notes\n"
