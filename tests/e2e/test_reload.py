"""What a running server takes up by itself or at SIGHUP: users, groups, the policy."""

import os
import signal
import time

from server import Server, USERS, write_htpasswd
from wire import Wire

RULES = [
    {"name": "everyone pulls", "subjects": ["authenticated"], "actions": ["pull"]},
    {"name": "developers push", "subjects": ["group:dev"], "actions": ["push"]},
]


def config(folder, groups, rules=RULES):
    path = write_htpasswd(folder / "htpasswd")
    return {
        "auth": {"htpasswd": {"realm": "x", "path": str(path)}, "groups": {"path": str(groups)}},
        "policy": rules,
    }


def push_status(server, user):
    wire = Wire(server, user, USERS[user])
    try:
        return wire.call("POST", "/v2/team/app/blobs/uploads/").status
    finally:
        wire.close()


def within(seconds, action, expected):
    deadline = time.monotonic() + seconds
    while (got := action()) != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert got == expected


def test_groups_follow_their_file(tmp_path):
    first, second, groups = tmp_path / "1", tmp_path / "2", tmp_path / "groups"
    first.write_text("dev: alice\n")
    second.write_text("dev: jenkins\n")
    groups.symlink_to(first)
    with Server(tmp_path / "server", config(tmp_path, groups)) as server:
        assert push_status(server, "alice") == 202
        assert push_status(server, "jenkins") == 403

        # As Kubernetes turns a mounted secret to its new version.
        (tmp_path / "fresh").symlink_to(second)
        os.rename(tmp_path / "fresh", groups)
        within(1, lambda: push_status(server, "alice"), 403)
        assert push_status(server, "jenkins") == 202

        with second.open("a") as file:  # in place
            file.write("dev: alice\n")
        within(1, lambda: push_status(server, "alice"), 202)

        (tmp_path / "renamed").write_text("dev: nobody\n")
        os.rename(tmp_path / "renamed", second)
        within(1, lambda: push_status(server, "alice"), 403)

        second.write_text("this is no group file\n")
        within(1, lambda: push_status(server, "alice") == 403 and "line 1" in server.log_text(), True)
        assert "stays in force" in server.log_text()
        second.write_text("dev: alice\n")
        within(2, lambda: push_status(server, "alice"), 202)


def test_users_follow_their_file(tmp_path):
    groups = tmp_path / "groups"
    groups.write_text("")
    with Server(tmp_path / "server", config(tmp_path, groups)) as server:
        wire = Wire(server, "alice", USERS["alice"])
        assert wire.call("GET", "/v2/").status == 200
        write_htpasswd(tmp_path / "htpasswd", {"jenkins": USERS["jenkins"]})
        within(1, lambda: wire.call("GET", "/v2/").status, 401)
        (tmp_path / "htpasswd").write_text("no colon here\n")
        within(1, lambda: push_status(server, "jenkins"), 403)  # known, and in no group
        assert "stays in force" in server.log_text()


def test_the_policy_is_taken_up_at_sighup_as_a_whole(tmp_path):
    groups = tmp_path / "groups"
    groups.write_text("dev: alice\n")
    server = Server(tmp_path / "server", config(tmp_path, groups))
    with server:
        assert push_status(server, "jenkins") == 403
        server.config["policy"] = [{"name": "jenkins", "subjects": ["user:jenkins"], "actions": ["push"]}]
        server.write_config()
        assert push_status(server, "jenkins") == 403
        server.process.send_signal(signal.SIGHUP)
        within(1, lambda: push_status(server, "jenkins"), 202)
        assert push_status(server, "alice") == 403

        server.config["policy"].append({"name": "broken", "subjects": ["everyone"], "actions": ["fly"]})
        server.write_config()
        server.process.send_signal(signal.SIGHUP)
        within(1, lambda: "fly" in server.log_text(), True)
        assert "stays as it was" in server.log_text()
        assert push_status(server, "jenkins") == 202

        # Without auth there would be no login: what waits for a restart must not open the door.
        del server.config["auth"]
        server.config["policy"] = None
        del server.config["policy"]
        server.write_config()
        server.process.send_signal(signal.SIGHUP)
        within(1, lambda: "waits for a restart" in server.log_text(), True)
        assert Wire(server).call("POST", "/v2/team/app/blobs/uploads/").status == 401


def test_guessing_is_slowed_down_for_the_caller_behind_a_proxy(tmp_path):
    groups = tmp_path / "groups"
    groups.write_text("")
    changes = {**config(tmp_path, groups), "http": {"trustedproxies": ["127.0.0.1"]}}
    changes["auth"]["throttle"] = {"failures": 3, "pause": "1h"}
    with Server(tmp_path / "server", changes) as server:

        def status(password, caller):
            wire = Wire(server, "alice", password)
            answer = wire.call("GET", "/v2/", headers={"X-Forwarded-For": f"6.6.6.6, {caller}"})
            wire.close()
            return answer

        for number in range(3):
            assert status(f"guess {number}", "192.0.2.1").status == 401
        refused = status(USERS["alice"], "192.0.2.1")
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.error() == "TOOMANYREQUESTS"
        assert status(USERS["alice"], "192.0.2.2").status == 200
