"""Users and groups of a directory: real clients and a real slapd, over TLS, with fail-over, and while it is away."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from images import Image, write_layout
from refusals import NOT_ALLOWED, WRONG_PASSWORD
from server import Authority, Server, secure_config
from server import USERS as FILE_USERS
from slapd import SERVICE, SERVICE_PASSWORD, USERS, Slapd, ldap_config, person
from test_docker import daemon, docker_for, load, login  # noqa: F401 (two of them are fixtures)
from wire import Wire

POLICY = [
    {"name": "who logs in pulls", "subjects": ["authenticated"], "actions": ["pull"]},
    # alice is in staff through devs, engineering and company.
    {"name": "staff pushes", "repositories": ["team/**"], "subjects": ["group:staff"], "actions": ["pull", "push"]},
    {"name": "reviewers push", "repositories": ["reviews/**"], "subjects": ["group:reviewers"], "actions": ["pull", "push"]},
    {"name": "posix groups push", "repositories": ["posix/**"], "subjects": ["group:posix"], "actions": ["pull", "push"]},
    {"name": "alice has her own", "repositories": ["own/alice"], "subjects": ["user:alice"], "actions": ["pull", "push"]},
]


def server_for(folder, ldap, authority=None, htpasswd=False):
    """A Berth with this auth.ldap; with `htpasswd` its own users come first."""
    folder.mkdir(exist_ok=True)
    config = secure_config(folder) if htpasswd else {"auth": {}}
    throttle = {"failures": 10_000, "addressfailures": 10_000}  # all of these tests come from one address
    config["auth"] |= {"ldap": ldap, "throttle": throttle}
    tls = {"tls": authority.issue("registry"), "trust": authority.trust()} if authority else {}
    return Server(folder, {**config, "policy": POLICY}, **tls)


@pytest.fixture(scope="module")
def directory(tmp_path_factory, authority):
    with Slapd(tmp_path_factory.mktemp("slapd") / "one", authority) as slapd:
        yield slapd


@pytest.fixture(scope="module")
def registry(tmp_path_factory, authority, directory):
    ldap = ldap_config(directory.tls_host, "ldaps", ca=str(authority.certificate))
    with server_for(tmp_path_factory.mktemp("ldap"), ldap, authority) as server:
        yield server
    assert_no_secrets(server)


def assert_no_secrets(server):
    text = server.log.read_text()
    for password in [*USERS.values(), SERVICE_PASSWORD]:
        assert password not in text


def status(server, user, password, method="GET", target="/v2/", **options):
    wire = Wire(server, user, password)
    try:
        return wire.call(method, target, **options).status
    finally:
        wire.close()


def push_status(server, user, repository, password=None):
    """What the answer is to somebody who begins to push."""
    return status(
        server, user, password or USERS[user], "POST", f"/v2/{repository}/blobs/uploads/",
        headers={"Content-Length": "0"},
    )  # fmt: skip


def wait_for_status(server, user, password, expected, seconds=30):
    deadline = time.monotonic() + seconds
    while (got := status(server, user, password)) != expected:
        assert time.monotonic() < deadline, f"{user}: {got}, not {expected}, for {seconds} s\n{server.log_text()}"
        assert got != 401, server.log_text()
        time.sleep(0.05)


# Real clients


def test_crane_logs_in_and_pushes_by_group(client_of, registry, tmp_path):
    alice, bob = client_of("crane", "alice"), client_of("crane", "bob")
    for client, user in ((alice, "alice"), (bob, "bob")):
        client("auth", "login", registry.host, "-u", user, "--password-stdin", input=USERS[user])
    write_layout(tmp_path / "image", [Image("ldap-crane")])
    reference = f"{registry.host}/team/crane:1.0"
    alice("push", tmp_path / "image", reference)
    assert bob("digest", reference) == alice("digest", reference)
    bob.refused("push", tmp_path / "image", f"{registry.host}/team/bob:1.0", saying=NOT_ALLOWED)
    mallory = client_of("crane", "mallory")
    mallory("auth", "login", registry.host, "-u", "alice", "-p", "guess")
    mallory.refused("digest", reference, saying=WRONG_PASSWORD)


def test_skopeo_logs_in_and_pushes_by_group(client_of, registry, authority, tmp_path):
    client = client_of("skopeo", "ldap")
    certificates = client.folder / "certificates"
    certificates.mkdir()
    (certificates / "ca.crt").write_bytes(authority.certificate.read_bytes())
    write_layout(tmp_path / "image", [Image("ldap-skopeo")])

    def log_in(user, password):
        file = client.folder / f"{user}.json"
        return client, ("login", "--cert-dir", certificates, "--authfile", file, "-u", user, "-p", password)

    def copy(user, repository):
        file = client.folder / f"{user}.json"
        target = f"docker://{registry.host}/{repository}:1.0"
        return "copy", "--dest-cert-dir", certificates, "--authfile", file, f"oci:{tmp_path}/image:latest", target

    for user in ("alice", "carol"):
        run, words = log_in(user, USERS[user])
        run(*words, registry.host)
    client(*copy("alice", "team/skopeo"))
    client(*copy("carol", "posix/skopeo"))
    client.refused(*copy("carol", "team/carol"), saying=NOT_ALLOWED)
    run, words = log_in("bob", "guess")
    run.refused(*words, registry.host, saying=WRONG_PASSWORD)


def test_docker_logs_in_and_pushes_by_group(docker_for, registry):  # noqa: F811
    alice, odd = docker_for("ldap-alice"), docker_for("ldap-odd")
    assert "Login Succeeded" in login(alice, registry, "alice", USERS["alice"])
    reference = load(alice, f"{registry.host}/team/docker:1.0", "ldap")
    alice("push", reference)
    assert "Login Succeeded" in login(odd, registry, "o'brien, jr", USERS["o'brien, jr"])
    odd("pull", reference)
    odd("tag", reference, f"{registry.host}/team/odd:1.0")
    odd.refused("push", f"{registry.host}/team/odd:1.0", saying=NOT_ALLOWED)
    docker_for("ldap-mallory").refused(
        "login", registry.host, "-u", "alice", "--password-stdin", input="guess", saying=WRONG_PASSWORD
    )


# Who gets in


@pytest.mark.parametrize("user", USERS)
def test_everybody_logs_in_by_the_own_password_alone(registry, user):
    assert status(registry, user, USERS[user]) == 200
    for password in ("", " ", USERS[user] + " ", USERS[user][:-1], USERS["bob" if user != "bob" else "alice"], "*"):
        assert status(registry, user, password) == 401, password


@pytest.mark.parametrize(
    "user",
    ["nobody", "al*", "a*e", "alice)(uid=*", "*)(objectClass=*", "*)(|(uid=*", "alice\\2a", "alice,ou=people",
     person("alice"), "alice+cn=alice", "service", SERVICE, "cn=root,dc=example,dc=org", "(uid=alice)", "&", "|", "!",
     "\\", "\\00", "#alice", "a" * 300, "ali\u0000ce", "alice\n"],
)  # fmt: skip
def test_a_name_is_no_filter(registry, user):
    for password in (USERS["alice"], USERS["*"], SERVICE_PASSWORD, "", "x"):
        assert status(registry, user, password) == 401, password


def test_an_answer_does_not_say_whether_a_user_exists(registry):
    def answer(user):
        wire = Wire(registry, user, "guess")
        got = wire.call("GET", "/v2/")
        wire.close()
        error = got.json()["errors"][0]
        del error["detail"]["requestId"]
        headers = {name: value for name, value in got.headers.items() if name not in ("Date", "X-Request-Id")}
        return got.status, headers, error

    assert answer("alice") == answer("nobody")


def test_a_rule_about_a_user_means_each_way_to_type_its_name(registry):
    for typed in ("alice", "ALICE", " alice "):
        assert push_status(registry, typed, "own/alice", USERS["alice"]) == 202
    assert push_status(registry, "bob", "own/alice") == 403


def test_groups_are_searched_through_groups(registry):
    allowed = {("alice", "team/x"), ("bob", "reviews/x"), ("carol", "posix/x"), ("o'brien, jr", "posix/x")}
    for user in USERS:
        for repository in ("team/x", "reviews/x", "posix/x"):
            expected = 202 if (user, repository) in allowed else 403
            assert push_status(registry, user, repository) == expected, (user, repository)


@pytest.mark.parametrize(("depth", "expected"), [(5, 202), (3, 202), (2, 403), (0, 403)])
@pytest.mark.parametrize("by", ["search", "memberOf"])
def test_groups_within_groups_count_to_the_depth(tmp_path, directory, by, depth, expected):
    groups = ldap_config(directory.host)["groups"] if by == "search" else {"attribute": "memberOf"}
    with server_for(tmp_path / "berth", ldap_config(directory.host, groups={**groups, "depth": depth})) as server:
        assert push_status(server, "alice", "team/x") == expected
        assert push_status(server, "bob", "team/x") == 403


def test_binds_straight_by_a_template(tmp_path, directory):
    ldap = ldap_config(directory.host, userdn="uid={user},ou=people,dc=example,dc=org")
    with server_for(tmp_path / "berth", ldap) as server:
        for user, password in USERS.items():
            assert status(server, user, password) == 200, user
            assert status(server, user, "guess") == 401, user
            assert status(server, user, "") == 401, user
        assert status(server, "alice,ou=people,dc=example,dc=org", USERS["alice"]) == 401
        assert push_status(server, "alice", "team/x") == 202
        assert push_status(server, "bob", "team/x") == 403


def test_many_log_in_at_once_over_few_connections(tmp_path, directory):
    with server_for(tmp_path / "berth", ldap_config(directory.host, connections=2)) as server:
        asked = [(user, right) for user in USERS for right in (True, False)] * 4
        with ThreadPoolExecutor(16) as pool:
            answers = pool.map(lambda each: status(server, each[0], USERS[each[0]] if each[1] else "guess"), asked)
        assert list(answers) == [200 if right else 401 for _, right in asked]


# TLS


@pytest.mark.parametrize("kind", ["starttls", "ldaps"])
@pytest.mark.parametrize("authorities", ["its own", "a stranger's", "the system's"])
def test_the_directorys_certificate_is_verified(tmp_path, authority, directory, kind, authorities):
    scheme, hosts = ("ldap", directory.host) if kind == "starttls" else ("ldaps", directory.tls_host)
    ldap = ldap_config(hosts, scheme, starttls=kind == "starttls")
    if authorities != "the system's":
        known = authority if authorities == "its own" else Authority(tmp_path / "stranger")
        ldap["ca"] = str(known.certificate)
    with server_for(tmp_path / "berth", ldap) as server:
        trusted = authorities == "its own"
        assert status(server, "alice", USERS["alice"]) == (200 if trusted else 503)
        assert status(server, "alice", "guess") == (401 if trusted else 503)
    assert_no_secrets(server)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("kind", ["starttls", "ldaps"])
def test_the_directorys_certificate_must_name_the_host(tmp_path, authority, directory, kind, verify):
    scheme, hosts = ("ldap", directory.host) if kind == "starttls" else ("ldaps", directory.tls_host)
    unnamed = hosts.replace("127.0.0.1", "127.0.0.2")  # slapd listens there too
    ldap = ldap_config(unnamed, scheme, starttls=kind == "starttls", ca=str(authority.certificate), verify=verify)
    with server_for(tmp_path / "berth", ldap) as server:
        assert status(server, "alice", USERS["alice"]) == (503 if verify else 200)


# While a directory is away


def test_those_who_were_verified_go_on_while_the_directory_is_down(tmp_path):
    ldap = {"remember": "1s", "grace": "1h"}
    with Slapd(tmp_path / "slapd") as slapd, server_for(tmp_path / "berth", ldap_config(slapd.host, **ldap)) as server:
        assert status(server, "alice", USERS["alice"]) == 200
        slapd.kill()
        time.sleep(1.2)  # what was verified must be verified anew
        for _ in range(3):
            assert status(server, "alice", USERS["alice"]) == 200
            assert push_status(server, "alice", "team/x") == 202
            assert status(server, "alice", "guess") == 503
            assert status(server, "bob", USERS["bob"]) == 503
            assert status(server, "nobody", "guess") == 503
            assert status(server, "alice", "") == 401
        slapd.start()
        wait_for_status(server, "bob", USERS["bob"], 200)
        assert status(server, "alice", "guess") == 401
        log = server.log.read_text()
        assert log.count("cannot connect") == 1, log
        assert log.count("answers again") == 1, log
    assert_no_secrets(server)


def test_nobody_goes_on_after_the_grace(tmp_path):
    ldap = {"remember": "1s", "grace": "1s"}
    with Slapd(tmp_path / "slapd") as slapd, server_for(tmp_path / "berth", ldap_config(slapd.host, **ldap)) as server:
        assert status(server, "alice", USERS["alice"]) == 200
        slapd.kill()
        time.sleep(2.2)
        assert status(server, "alice", USERS["alice"]) == 503


def test_a_changed_password_counts_after_the_time_to_remember(tmp_path):
    with Slapd(tmp_path / "slapd") as slapd:
        with server_for(tmp_path / "berth", ldap_config(slapd.host, remember="1s")) as server:
            assert status(server, "alice", USERS["alice"]) == 200
            slapd.set_password(person("alice"), "another")
            time.sleep(1.2)
            assert status(server, "alice", USERS["alice"]) == 401
            assert status(server, "alice", "another") == 200


def test_a_second_directory_serves_while_the_first_is_down(tmp_path):
    with Slapd(tmp_path / "one") as one, Slapd(tmp_path / "two") as two:
        ldap = ldap_config(f"{one.host} {two.host}", remember="1s", grace="0s")
        with server_for(tmp_path / "berth", ldap) as server:
            for user, password in USERS.items():
                assert status(server, user, password) == 200
            one.kill()
            time.sleep(1.2)
            for user, password in USERS.items():
                assert status(server, user, password) == 200
                assert status(server, user, "guess") == 401
            one.start()
            two.kill()
            time.sleep(1.2)
            for user, password in USERS.items():
                wait_for_status(server, user, password, 200)


def test_a_directory_that_is_silent_costs_its_timeout_only(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        hosts = f"127.0.0.1:{listener.getsockname()[1]}"
        ldap = ldap_config(hosts, connecttimeout="1s", timeout="1s")
        with server_for(tmp_path / "berth", ldap, htpasswd=True) as server:
            with ThreadPoolExecutor(8) as pool:
                began = time.monotonic()
                waiting = [pool.submit(status, server, "bob", USERS["bob"] + str(i)) for i in range(8)]
                assert status(server, "jenkins", FILE_USERS["jenkins"]) == 200
                assert not waiting[0].done(), "a user of the password file does not wait for the directory"
                assert {each.result() for each in waiting} == {503}
                assert time.monotonic() - began > 0.9
            began = time.monotonic()
            answers = [status(server, "bob", USERS["bob"]) for _ in range(20)]
            assert set(answers) == {503}
            assert time.monotonic() - began < 12, "one at a time looks whether it is back, the others do not wait"
            assert status(server, "jenkins", FILE_USERS["jenkins"]) == 200


@pytest.mark.parametrize("kind", ["plain", "starttls", "ldaps"])
def test_a_directory_that_freezes_is_left_for_another(tmp_path, authority, kind):
    with Slapd(tmp_path / "one", authority) as one, Slapd(tmp_path / "two", authority) as two:
        scheme, hosts = "ldap", f"{one.host} {two.host}"
        if kind == "ldaps":
            scheme, hosts = "ldaps", f"{one.tls_host} {two.tls_host}"
        ldap = ldap_config(hosts, scheme, connecttimeout="500ms", timeout="500ms", starttls=kind == "starttls")
        if kind != "plain":
            ldap["ca"] = str(authority.certificate)
        with server_for(tmp_path / "berth", ldap) as server:
            assert status(server, "alice", USERS["alice"]) == 200
            one.freeze()
            try:
                for user, password in USERS.items():
                    assert status(server, user, password) == 200
                    assert status(server, user, "guess") == 401
            finally:
                one.thaw()


def test_the_service_accounts_password_is_taken_up_when_its_file_changes(tmp_path):
    secret = tmp_path / "password"
    secret.write_text(SERVICE_PASSWORD + "\n")
    with Slapd(tmp_path / "slapd") as slapd:
        ldap = ldap_config(slapd.host, remember="1s", grace="1h", bindpasswordfile=str(secret))
        del ldap["bindpassword"]
        with server_for(tmp_path / "berth", ldap) as server:
            assert status(server, "alice", USERS["alice"]) == 200
            slapd.set_password(SERVICE, "a new one")
            slapd.stop()
            slapd.start()
            time.sleep(1.2)
            assert status(server, "bob", USERS["bob"]) == 503
            assert status(server, "alice", USERS["alice"]) == 200
            assert f"the service account {SERVICE} is refused" in server.log.read_text()
            other = tmp_path / "new"
            other.write_text("a new one\n")
            other.rename(secret)
            wait_for_status(server, "bob", USERS["bob"], 200)
            assert status(server, "bob", "guess") == 401
            assert "a new one" not in server.log.read_text()
