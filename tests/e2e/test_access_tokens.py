"""Access tokens: people and robots log in by them with every client, and reach what they are for and nothing else."""

import json
import re
import stat
import subprocess
import time
from collections import namedtuple

import pytest
import server as berth
from images import Image, noise, tar, write_layout
from refusals import NOT_ALLOWED, WRONG_PASSWORD
from server import Failed, Server, run, secure_config
from test_docker import daemon, docker_for  # noqa: F401 (fixtures)
from wire import Wire

RULES = [
    {"name": "root administers", "subjects": ["user:jenkins"], "actions": ["admin"]},
    {"name": "everyone pulls", "subjects": ["authenticated"], "actions": ["pull", "catalog"]},
    {"name": "alice works", "subjects": ["user:alice"], "actions": ["push", "delete"]},
    {"name": "CI pushes", "subjects": ["robot:ci"], "actions": ["push"]},
    {"name": "releases", "subjects": ["robot:release"], "actions": ["push"], "tags": ["v*"]},
]
JSON = {"Content-Type": "application/json"}
# With a token service, a bearer token that says too little is answered by 401, in case another one says more.
BEYOND = f"{NOT_ALLOWED}|unauthorized|401"
SECRET = re.compile(r"^berth_[a-z2-7]{8}_[A-Za-z0-9_-]{43}$")


def token(server, *args):
    """`berth token …` for this server; what it printed."""
    return run([berth.BINARY, "token", args[0], "--config", server.config_path, *args[1:]])


def create(server, *args):
    """A new token, as its JSON with the secret."""
    return json.loads(token(server, "create", "--json", *args))


def listed(server):
    return {entry["id"]: entry for entry in json.loads(token(server, "list", "--json"))}


def until(condition, seconds, message):
    """Waits for what happens by itself, and says how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, message
        time.sleep(0.02)
    return time.monotonic() - start


@pytest.fixture(scope="module", params=["basic", "token service"])
def tokens(request, tmp_path_factory, authority):
    """Berth over TLS; clients send their secrets to the registry itself, or to its token service."""
    folder = tmp_path_factory.mktemp("tokens")
    config = secure_config(folder, policy=False)
    config["policy"] = RULES
    if request.param == "token service":
        config["auth"]["issuer"] = {"issuer": "berth"}
    with Server(folder, config, tls=authority.issue("tokens"), trust=authority.trust()) as server:
        yield server


@pytest.fixture
def wire_of(tokens):
    wires = []

    def make(user=None, password=None):
        wires.append(Wire(tokens, user, password or berth.USERS.get(user)))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


@pytest.fixture
def root(wire_of):
    return wire_of("jenkins")


# How each client is told to log in, push and pull: its arguments, after making an image where it needs one.
Program = namedtuple("Program", "client login push pull")


def crane(make, _):
    client = make("crane")

    def push(reference):
        layout = client.folder / re.sub(r"\W", "-", reference)
        if not layout.exists():
            write_layout(layout, [Image(reference)])
        return ["push", layout, reference]

    return Program(
        client,
        # crane does not ask the registry at login: `catalog` does.
        lambda host, user, secret: ["auth", "login", host, "-u", user, "-p", secret],
        push,
        lambda reference: ["pull", reference, client.folder / "pulled.tar"],
    )


def skopeo(make, _):
    client = make("skopeo")
    auth = ["--authfile", client.folder / "auth.json"]

    def push(reference):
        layout = client.folder / re.sub(r"\W", "-", reference)
        if not layout.exists():
            write_layout(layout, [Image(reference)], "image")
        return ["copy", *auth, f"oci:{layout}:image", f"docker://{reference}"]

    return Program(
        client,
        lambda host, user, secret: ["login", *auth, "-u", user, "-p", secret, host],
        push,
        lambda reference: ["inspect", *auth, f"docker://{reference}"],
    )


def load(client, reference):
    path = client.folder / "image.tar"
    path.write_bytes(tar({"content": noise(reference, 100_000)}))
    client("import", path, reference)


def podman(make, _):
    folder = make("podman").folder
    client = make("podman", prefix=[
        "--root", folder / "root", "--runroot", folder / "run", "--storage-driver", "vfs",
        "--cgroup-manager", "cgroupfs", "--events-backend", "none",
    ])  # fmt: skip
    auth = ["--authfile", folder / "auth.json"]

    def push(reference):
        load(client, reference)
        return ["push", *auth, reference]

    return Program(
        client,
        lambda host, user, secret: ["login", *auth, "-u", user, "-p", secret, host],
        push,
        lambda reference: ["pull", *auth, reference],
    )


def docker(_, make_docker):
    client = make_docker()("tokens")

    def push(reference):
        load(client, reference)
        return ["push", reference]

    return Program(
        client,
        lambda host, user, secret: ["login", "-u", user, "-p", secret, host],
        push,
        lambda reference: ["pull", reference],
    )


@pytest.fixture(scope="module", params=[crane, skopeo, podman, docker], ids=lambda program: program.__name__)
def program(request, client_of):
    return request.param(client_of, lambda: request.getfixturevalue("docker_for"))


def test_a_person_works_with_a_personal_token(program, tokens):
    made = create(tokens, "--user", "alice", "--description", "laptop")
    assert SECRET.match(made["secret"])
    client = program.client
    client(*program.login(tokens.host, "alice", made["secret"]))
    reference = f"{tokens.host}/alice/{client.program.split('/')[-1]}:1.0"
    client(*program.push(reference))
    client(*program.pull(reference))


def test_a_robot_reaches_only_what_its_token_allows(program, tokens):
    made = create(tokens, "--robot", "ci", "--allow", "pull,push:team/**")
    client = program.client
    client(*program.login(tokens.host, "ci", made["secret"]))
    name = client.program.split("/")[-1]
    client(*program.push(f"{tokens.host}/team/{name}:1.0"))
    client(*program.pull(f"{tokens.host}/team/{name}:1.0"))
    client.refused(*program.push(f"{tokens.host}/other/{name}:1.0"), saying=BEYOND)
    client.refused(*program.push(f"{tokens.host}/teams/{name}:1.0"), saying=BEYOND)


def test_a_token_for_pulling_does_not_push(program, tokens):
    """Though its holder may."""
    mover = create(tokens, "--user", "alice")["secret"]
    puller = create(tokens, "--user", "alice", "--allow", "pull:**")["secret"]
    client = program.client
    reference = f"{tokens.host}/pulled/{client.program.split('/')[-1]}:1.0"
    client(*program.login(tokens.host, "alice", mover))
    client(*program.push(reference))
    client(*program.login(tokens.host, "alice", puller))
    client(*program.pull(reference))
    client.refused(*program.push(reference.replace("1.0", "2.0")), saying=BEYOND)


def test_a_robot_pushes_only_the_tags_of_its_rule(program, tokens):
    made = create(tokens, "--robot", "release", "--allow", "pull,push:**")
    client = program.client
    client(*program.login(tokens.host, "release", made["secret"]))
    repository = f"{tokens.host}/released/{client.program.split('/')[-1]}"
    client(*program.push(f"{repository}:v1"))
    client.refused(*program.push(f"{repository}:latest"), saying=BEYOND)


def test_a_revoked_token_logs_nobody_in(program, tokens):
    made = create(tokens, "--user", "alice")
    assert made["id"] in token(tokens, "revoke", made["id"])
    client = program.client
    args = program.login(tokens.host, "alice", made["secret"])
    if client.program.endswith("crane"):
        client(*args)
        args = ["catalog", tokens.host]
    client.refused(*args, saying=WRONG_PASSWORD)


def test_works_as_a_bearer_and_as_a_password_of_its_holder(tokens, wire_of):
    made = create(tokens, "--user", "alice")
    bearer = wire_of()
    bearer.headers["Authorization"] = f"Bearer {made['secret']}"
    assert bearer.call("GET", "/v2/_catalog").status == 200
    assert wire_of("alice", made["secret"]).call("GET", "/v2/_catalog").status == 200
    answers = [wire_of(user, made["secret"]).call("GET", "/v2/_catalog") for user in ("jenkins", "Alice", "nobody")]
    forged = made["secret"][:-1] + ("A" if made["secret"][-1] != "A" else "B")
    answers.append(wire_of("alice", forged).call("GET", "/v2/_catalog"))
    assert [answer.status for answer in answers] == [401] * 4
    assert len({answer.json()["errors"][0]["message"] for answer in answers}) == 1


def test_a_token_ends(root, wire_of):
    answer = root.call("POST", "/v2/_berth/tokens", b'{"user":"alice","expires":2}', JSON)
    assert answer.status == 201, answer
    assert answer.headers["Cache-Control"] == "no-store"
    alice = wire_of("alice", answer.json()["secret"])
    assert alice.call("GET", "/v2/_catalog").status == 200
    until(lambda: alice.call("GET", "/v2/_catalog").status == 401, 5, "it did not end")
    tokens = root.call("GET", "/v2/_berth/tokens").json()["tokens"]
    assert [entry["expired"] for entry in tokens if entry["id"] == answer.json()["id"]] == [True]


@pytest.mark.parametrize("by", ["command line", "admin API"])
def test_a_revoked_token_is_refused_within_a_second(tokens, root, wire_of, by):
    made = create(tokens, "--robot", "ci")
    robot = wire_of("ci", made["secret"])
    assert robot.call("GET", "/v2/_catalog").status == 200
    if by == "command line":
        token(tokens, "revoke", made["id"])
    else:
        assert root.call("DELETE", f"/v2/_berth/tokens/{made['id']}").status == 204
    until(lambda: robot.call("GET", "/v2/_catalog").status == 401, 1, "it still works")
    assert made["id"] not in listed(tokens)


def test_the_last_use_is_shown(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, secure_config(folder, policy=False))
    with server:
        used, unused = create(server, "--user", "alice"), create(server, "--user", "alice")
        wire = Wire(server, "alice", used["secret"])
        assert wire.call("GET", "/v2/_catalog").status == 200
        shown = {entry["id"]: entry for entry in wire.call("GET", "/v2/_berth/me/tokens").json()["tokens"]}
        assert shown[used["id"]]["last_used"] >= used["created"]
        assert shown[unused["id"]]["last_used"] is None
        wire.close()
    # What was in the server's memory is kept.
    entries = listed(server)
    assert entries[used["id"]]["last_used"] == shown[used["id"]]["last_used"]
    assert entries[unused["id"]]["last_used"] is None
    assert used["last_used"] is None
    with server:
        assert listed(server)[used["id"]]["last_used"] == shown[used["id"]]["last_used"]


def test_the_file_and_the_logs_hold_no_secret(tokens, wire_of):
    made = create(tokens, "--user", "alice")
    assert wire_of("alice", made["secret"]).call("GET", "/v2/_catalog").status == 200
    assert wire_of("jenkins", made["secret"]).call("GET", "/v2/_catalog").status == 401
    path = tokens.data / "berth/tokens"
    assert made["id"] in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = made["secret"].rsplit("_", 1)[1]
    for file in [*(tokens.data / "berth").iterdir(), tokens.log]:
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file
    assert secret not in token(tokens, "list") + token(tokens, "list", "--json")


def test_the_command_shows_the_secret_once_and_what_to_do_with_it(tokens):
    command = [berth.BINARY, "token", "create", "--config", tokens.config_path, "--robot", "ci", "--expires", "2w"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    assert SECRET.match(done.stdout.strip())
    assert "docker login -u ci" in done.stderr
    assert done.stdout.strip() not in done.stderr
    table = token(tokens, "list")
    assert re.search(rf"^{done.stdout[6:14]} +ci +robot +no limit +\d{{4}}-", table, re.M), table
    for args, words in [
        (["create"], "--user"),
        (["create", "--user", "a", "--robot", "b"], "--user"),
        (["create", "--user", "a:b"], "colon"),
        (["create", "--user", "a", "--allow", "fly:**"], "fly"),
        (["create", "--user", "a", "--expires", "2020-01-01"], "expires"),
        (["create", "--user", "a", "--expires", "soon"], "soon"),
        (["revoke"], "ID"),
        (["revoke", "aaaaaaaa"], "aaaaaaaa"),
        (["revoke", "aaaaaaaa", "--user", "a"], "ID"),
    ]:
        with pytest.raises(Failed) as failure:
            run([berth.BINARY, "token", *args, "--tokens", tokens.folder / "none"])
        assert words in failure.value.output
    assert not (tokens.folder / "none").exists()


def test_administers_by_http(root, tokens, wire_of):
    body = json.dumps({"robot": "ci", "allow": ["push:http/**"], "description": "by HTTP", "expires": 3600})
    made = root.call("POST", "/v2/_berth/tokens", body.encode(), JSON).json()
    shown = [entry for entry in root.call("GET", "/v2/_berth/tokens").json()["tokens"] if entry["id"] == made["id"]]
    assert shown == [{key: value for key, value in made.items() if key != "secret"}]
    robot = wire_of("ci", made["secret"])
    Image("http").push(robot, "http/app", "1.0")
    assert robot.call("POST", "/v2/other/blobs/uploads/", headers={"Content-Length": "0"}).status == 403
    for method, target, data in [
        ("GET", "tokens", None),
        ("POST", "tokens", b'{"user":"jenkins"}'),
        ("DELETE", f"tokens/{made['id']}", None),
        ("POST", "tokens/revoke-issued", b'{"user":"jenkins"}'),
        ("GET", "policy/explain?user=jenkins&action=admin", None),
        ("GET", "me/tokens", None),
    ]:
        for wire, status in [(robot, 403), (wire_of(), 401)]:
            assert wire.call(method, f"/v2/_berth/{target}", data, JSON).status == status, target
    explained = root.call("GET", "/v2/_berth/policy/explain?user=ci&kind=robot&action=push&repository=http/app").json()
    assert [decision["rule"] for decision in explained["decisions"]] == ["CI pushes", "CI pushes"]


def test_people_handle_their_own_tokens(root, tokens, wire_of):
    alice = wire_of("alice")
    made = alice.call("POST", "/v2/_berth/me/tokens", b'{"allow":["pull:**"]}', JSON).json()
    assert (made["name"], made["kind"], made["created_by"]) == ("alice", "user", "user:alice")
    assert made["id"] in [entry["id"] for entry in alice.call("GET", "/v2/_berth/me/tokens").json()["tokens"]]
    limited = wire_of("alice", made["secret"])
    assert limited.call("GET", "/v2/_catalog").status == 403, "pull:** is not the catalog"
    assert limited.call("POST", "/v2/_berth/me/tokens", b"{}", JSON).status == 403, "nobody gains rights"
    jenkins = create(tokens, "--user", "jenkins")
    assert alice.call("DELETE", f"/v2/_berth/me/tokens/{jenkins['id']}").status == 404
    assert jenkins["id"] in listed(tokens)
    assert alice.call("DELETE", f"/v2/_berth/me/tokens/{made['id']}").status == 204
    until(lambda: limited.call("GET", "/v2/").status == 401, 1, "it still works")


def spawn_create(path, name):
    command = [berth.BINARY, "token", "create", "--tokens", path, "--robot", name]
    return subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )


def names(path):
    return [entry["name"] for entry in json.loads(run([berth.BINARY, "token", "list", "--json", "--tokens", path]))]


def test_processes_that_create_at_once_lose_nothing(tmp_path):
    path = tmp_path / "tokens"
    processes = [spawn_create(path, f"robot-{number}") for number in range(24)]
    assert [process.wait(60) for process in processes] == [0] * 24
    assert sorted(names(path)) == sorted(f"robot-{number}" for number in range(24))


def test_a_killed_create_leaves_a_whole_file(tmp_path):
    """Killed at ever later moments, from before it does anything until after it is done."""
    path = tmp_path / "tokens"
    done = []
    for number in range(40):
        process = spawn_create(path, f"robot-{number}")
        time.sleep(number * 0.0008)
        process.kill()
        if process.wait(10) == 0:
            done.append(f"robot-{number}")
        assert set(done) <= set(names(path))
    run([berth.BINARY, "token", "create", "--tokens", path, "--robot", "last"])
    assert "last" in names(path)
    assert {file.name for file in tmp_path.iterdir()} == {"tokens"}, "nothing is left lying about"
