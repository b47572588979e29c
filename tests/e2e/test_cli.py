"""The subcommands: what an operator types beside the server, most of them while it runs."""

import json
import re
import stat

import pytest
from images import Image
from server import BINARY, POLICY, USERS, Failed, Server, run, secure_config
from wire import Wire


def berth(*args, **options):
    return run([BINARY, *args], timeout=30, **options)


def fails(code, *args, saying, **options):
    try:
        output = berth(*args, **options)
    except Failed as failure:
        assert failure.code == code, failure
        assert re.search(saying, failure.output, re.I), f"expected words like {saying!r} in\n{failure}"
        return failure.output
    raise AssertionError(f"{args} did not fail:\n{output}")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A running server with users, the rule, and an image under two tags; its configuration's path beside it."""
    folder = tmp_path_factory.mktemp("cli")
    with Server(folder / "server", secure_config(folder)) as server:
        wire = Wire(server, "jenkins", USERS["jenkins"])
        server.image = Image("cli")
        server.image.push(wire, "team/app", "1.0")
        server.image.push(wire, "team/app", "latest")
        Image("other").push(wire, "team/other", "2.0")
        wire.close()
        yield server


def test_says_its_version_and_its_help():
    assert re.match(r"berth \d+\.\d+\.\d+", berth("--version"))
    said = berth("--help")
    for command in ("serve", "config", "user", "ls", "tags", "inspect", "policy"):
        assert command in said
    assert "berth user add" in said, "help shows examples"


def test_wrong_usage_ends_with_2():
    fails(2, "fly", saying="fly")
    fails(2, "serve", "--no-such-option", saying="no-such-option")


def test_config_check(served, tmp_path):
    berth("config", "check", served.config_path)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("version: 0.1\nstorage: {inmemory: {}}\nhttp: {adr: 'x:1'}\n")
    fails(1, "config", "check", wrong, saying=re.escape(f"{wrong}:3"))


def test_config_print_hides_secrets(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text("version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: '127.0.0.1:1', secret: very-secret}\n")
    said = berth("config", "print", path)
    assert "127.0.0.1:1" in said
    assert "very-secret" not in said


def test_users(tmp_path):
    server = Server(tmp_path / "server", secure_config(tmp_path))
    config = ["--config", server.config_path]
    path = tmp_path / "htpasswd"
    path.chmod(0o640)
    with server:
        berth("user", "add", "bob", *config, input="bob's password\n")
        assert re.search(r"^bob:\$2[aby]\$", path.read_text(), re.M)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert Wire(server, "bob", "bob's password").call("GET", "/v2/").status == 200
        fails(1, "user", "add", "bob", *config, input="again\n", saying="bob")
        berth("user", "passwd", "bob", *config, input="another\n")
        assert Wire(server, "bob", "another").call("GET", "/v2/").status == 200
        assert Wire(server, "bob", "bob's password").call("GET", "/v2/").status == 401
        assert berth("user", "list", *config).split() == ["jenkins", "alice", "bob"]
        berth("user", "remove", "bob", *config)
        assert Wire(server, "bob", "another").call("GET", "/v2/").status == 401
        fails(1, "user", "remove", "bob", *config, saying="bob")
        fails(1, "user", "add", "a:b", *config, input="x\n", saying="colon|:")
        assert Wire(server, "alice", USERS["alice"]).call("GET", "/v2/").status == 200


def test_the_first_user_makes_the_file(tmp_path):
    path = tmp_path / "htpasswd"
    config = {"auth": {"htpasswd": {"realm": "x", "path": str(path)}}}
    server = Server(tmp_path / "server", config)
    assert "berth user add" in fails(1, "config", "check", server.config_path, saying="htpasswd")
    berth("user", "add", "first", "--config", server.config_path, input="secret\n")
    with server:
        assert Wire(server, "first", "secret").call("GET", "/v2/").status == 200


def test_lists_repositories_and_tags(served):
    config = ["--config", served.config_path]
    assert berth("ls", *config).split() == ["team/app", "team/other"]
    assert berth("tags", "team/app", *config).split() == ["1.0", "latest"]
    assert "team/other" in json.dumps(json.loads(berth("ls", "--json", *config)))
    fails(1, "tags", "team/nothing", *config, saying="team/nothing")


def test_inspects_an_image(served):
    config = ["--config", served.config_path]
    said = berth("inspect", "team/app:1.0", *config)
    assert served.image.digest in said
    assert "application/vnd.oci.image.manifest.v1+json" in said
    json.loads(berth("inspect", "team/app:1.0", "--json", *config))
    fails(1, "inspect", "team/app:none", *config, saying="none")


def test_explains_the_policy(served):
    config = ["--config", served.config_path]
    assert "CI pushes" in berth("policy", "explain", "jenkins", "push", "team/app:1.0", *config)
    assert POLICY[0]["name"] in berth("policy", "explain", "alice", "pull", "team/app", *config)
    denied = fails(1, "policy", "explain", "alice", "push", "team/app:1.0", *config, saying="no rule|denied")
    assert "alice" in denied


def test_no_colour_where_there_is_no_terminal(served):
    assert "\x1b" not in berth("ls", "--config", served.config_path) + berth("--help")
