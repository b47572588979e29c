"""Client certificates, and certificates that change while the server runs, as real clients meet them."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time

import pytest
from images import Image, noise, tar, write_layout
from server import Authority, Server, merge, run, secure_config

CERTIFICATES = {
    "name": "cn",
    "users": {
        "spiffe://example.org/ci": "jenkins",
        "ci@example.org": "jenkins",
        "deploy.example.org": "robot:deploy",
        "Jenkins of old": "jenkins",
    },
}
ROBOT_PUSHES = {
    "name": "the robot pushes", "repositories": ["team/**"], "subjects": ["robot:deploy"], "actions": ["pull", "push"],
}  # fmt: skip


def mutual_config(folder, trusted, how="verify-client-cert-if-given"):
    config = secure_config(folder)
    config["policy"] = [*config["policy"], ROBOT_PUSHES]
    tls = {"clientcas": [str(trusted)], "clientauth": how}
    return merge(
        config,
        {"http": {"tls": tls}, "auth": {"certificates": CERTIFICATES}, "log": {"level": "debug"}},
    )


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """The authority of the clients' certificates."""
    return Authority(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
def mutual(tmp_path_factory, authority, clients):
    """A server that knows people by passwords and by certificates."""
    folder = tmp_path_factory.mktemp("mutual")
    tls = authority.issue("mutual")
    with Server(folder, mutual_config(folder, clients.certificate), tls=tls, trust=authority.trust()) as server:
        yield server


def curl(server, authority, target, *options, pair=None):
    """The status that the real curl gets."""
    shown = ["--cert", pair[0], "--key", pair[1]] if pair else []
    return run([
        "curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "--cacert", authority.certificate, *shown, *options,
        f"https://{server.host}{target}",
    ])  # fmt: skip


def may_push(server, authority, pair, repository):
    """Whether an upload may begin: 202, 401 or 403."""
    return curl(server, authority, f"/v2/{repository}/blobs/uploads/", "-X", "POST", "-d", "", pair=pair)


def s_client(server, *options, request="GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
    """What openssl's own client shows, and what it got."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", server.host, "-ign_eof", *map(str, options)],
        input=request, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("common_name", "names", "in_apps", "in_team"),
    [
        ("jenkins", [], "202", "202"),
        ("alice", [], "403", "403"),
        ("someone", ["URI:spiffe://example.org/ci"], "202", "202"),
        ("someone", ["URI:spiffe://example.org/other"], "403", "403"),
        ("someone", ["email:ci@example.org"], "202", "202"),
        ("jenkins", ["DNS:deploy.example.org"], "403", "202"),
        ("Jenkins of old", [], "202", "202"),
        ("robot:deploy", [], "401", "401"),
        ("jenkins\n", [], "401", "401"),
    ],
)
def test_a_certificate_is_somebody(mutual, authority, clients, common_name, names, in_apps, in_team):
    pair = clients.issue("somebody", common_name=common_name, names=names)
    assert may_push(mutual, authority, pair, "apps/web") == in_apps
    assert may_push(mutual, authority, pair, "team/web") == in_team


def test_without_a_certificate_passwords_count(mutual, authority):
    assert curl(mutual, authority, "/v2/") == "401"
    assert curl(mutual, authority, "/v2/", "-u", "alice:wonder:land") == "200"


def test_a_password_counts_more_than_the_certificate(mutual, authority, clients):
    jenkins = clients.issue("jenkins")
    target = "/v2/apps/web/blobs/uploads/"
    assert curl(mutual, authority, target, "-X", "POST", "-d", "", "-u", "alice:wonder:land", pair=jenkins) == "403"
    assert curl(mutual, authority, target, "-X", "POST", "-d", "", "-u", "alice:wrong", pair=jenkins) == "401"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_bad_certificate_gets_an_alert_and_a_line_in_the_log(mutual, clients, tmp_path, version):
    expired = clients.issue("expired", common_name="jenkins", days=-1)
    forged = Authority(tmp_path / "stranger").issue("jenkins")
    for pair, alert, reason in [
        (expired, "alert certificate expired", "certificate has expired"),
        (forged, "alert unknown ca", "unable to get local issuer certificate"),
    ]:
        before = mutual.log_text().count(f"certificate verify failed: {reason}")
        shown = s_client(mutual, version, "-cert", pair[0], "-key", pair[1])
        assert alert in shown, shown
        assert "HTTP/1.1" not in shown
        assert mutual.log_text().count(f"certificate verify failed: {reason}") == before + 1
    assert mutual.process.poll() is None


@pytest.mark.parametrize(
    ("how", "without", "with_forged"),
    [
        ("request-client-cert", "401", "401"),
        ("require-any-client-cert", None, "401"),
        ("require-and-verify-client-cert", None, None),
        (None, None, None),
    ],
)
def test_clients_are_asked_as_the_configuration_says(tmp_path, authority, clients, how, without, with_forged):
    forged = Authority(tmp_path / "stranger").issue("jenkins")
    config = mutual_config(tmp_path, clients.certificate, how)
    server = Server(tmp_path / "server", config, tls=authority.issue("asked"), trust=authority.trust())
    good = clients.issue("good", common_name="jenkins")
    # The server's own readiness is asked for with a certificate.
    server.trust.load_cert_chain(*good)
    with server:
        assert curl(server, authority, "/v2/", pair=good) == "200"
        for pair, status in ((None, without), (forged, with_forged)):
            if status:
                assert curl(server, authority, "/v2/", pair=pair) == status
            else:
                with pytest.raises(Exception, match="alert|certificate required"):
                    curl(server, authority, "/v2/", pair=pair)


def test_clients_are_told_the_authorities(mutual, clients):
    shown = s_client(mutual)
    named = shown.split("Acceptable client certificate CA names\n")[1].split("\n")[0]
    assert named == "CN = Test authority"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_that_resumes_is_still_the_same_person(mutual, clients, tmp_path, version):
    certificate, key = clients.issue("jenkins")
    session = tmp_path / "session.pem"
    first = s_client(mutual, version, "-cert", certificate, "-key", key, "-sess_out", session)
    assert "New, TLSv1" in first
    assert "HTTP/1.1 200" in first
    again = s_client(mutual, version, "-sess_in", session)
    assert "Reused, TLSv1" in again
    assert "HTTP/1.1 200" in again


def certificate_folder(folder, authority, pair):
    """As podman and skopeo want it, and docker where the registry is not on loopback."""
    folder.mkdir(parents=True)
    shutil.copy(authority.certificate, folder / "ca.crt")
    shutil.copy(pair[0], folder / "client.cert")
    shutil.copy(pair[1], folder / "client.key")
    return folder


def test_skopeo_shows_its_certificate(client_of, mutual, authority, clients, tmp_path):
    jenkins = certificate_folder(tmp_path / "jenkins", authority, clients.issue("jenkins"))
    alice = certificate_folder(tmp_path / "alice", authority, clients.issue("alice"))
    client = client_of("skopeo", "certificate")
    write_layout(tmp_path / "layout", [Image("skopeo by certificate")], "1.0")
    reference = f"docker://{mutual.host}/skopeo/app:1.0"
    source = f"oci:{tmp_path}/layout:1.0"
    client.refused("copy", "--dest-cert-dir", alice, source, reference, saying="denied|forbidden|403")
    client("copy", "--dest-cert-dir", jenkins, source, reference)
    client("copy", "--src-cert-dir", alice, reference, f"dir:{tmp_path}/pulled")


def test_podman_shows_its_certificate(client_of, mutual, authority, clients, tmp_path, tmp_path_factory):
    store = tmp_path_factory.mktemp("store")  # podman wants a short path
    prefix = ["--root", store / "root", "--runroot", store / "run", "--storage-driver", "vfs"]
    client = client_of("podman", "certificate", [*prefix, "--cgroup-manager", "cgroupfs", "--events-backend", "none"])
    ci = clients.issue("ci", common_name="someone", names=["URI:spiffe://example.org/ci"])
    jenkins = certificate_folder(tmp_path / "jenkins", authority, ci)
    alice = certificate_folder(tmp_path / "alice", authority, clients.issue("alice"))
    reference = f"{mutual.host}/podman/app:1.0"
    (tmp_path / "image.tar").write_bytes(tar({"content": noise("podman", 20_000)}))
    client("import", tmp_path / "image.tar", reference)
    client.refused("push", "--cert-dir", alice, reference, saying="denied|forbidden|403")
    client("push", "--cert-dir", jenkins, reference)
    client("pull", "--cert-dir", alice, reference)


def test_old_versions_of_tls_come_only_by_name(tmp_path, authority):
    options = ["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"]
    for minimum, good in (("tls1.2", False), ("tls1.0", True)):
        config = {"http": {"tls": {"minimumtls": minimum}}}
        server = Server(tmp_path / minimum, config, tls=authority.issue("old"), trust=authority.trust())
        with server:
            shown = s_client(server, *options)
            assert ("HTTP/1.1 200" in shown) == good, shown
            assert ("below TLS 1.2" in server.log_text()) == good


class Renewed:
    """A server whose certificate is renewed, in a folder as Kubernetes mounts a secret."""

    def __init__(self, folder, authority):
        self.folder = folder / "secret"
        self.folder.mkdir()
        self.authority = authority
        self.count = 0
        self.renew()
        for name in ("tls.crt", "tls.key"):
            (self.folder / name).symlink_to(f"..data/{name}")
        tls = (self.folder / "tls.crt", self.folder / "tls.key")
        self.server = Server(folder / "server", tls=tls, trust=authority.trust())

    def renew(self):
        """Turns ..data to a new folder; the certificate's bytes."""
        self.count += 1
        certificate, key = self.authority.issue(f"renewed-{self.count}", key="prime256v1")
        version = self.folder / f"..version-{self.count}"
        version.mkdir()
        shutil.copy(certificate, version / "tls.crt")
        shutil.copy(key, version / "tls.key")
        (self.folder / "..data_tmp").symlink_to(version.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        return ssl.PEM_cert_to_DER_cert(certificate.read_text())

    def served(self):
        """The certificate that a new connection is shown."""
        return shown_by(self.server)


def shown_by(server):
    connection = server.connect()
    with contextlib.closing(connection):
        connection.connect()
        return connection.sock.getpeercert(binary_form=True)


def eventually(condition, seconds=10):
    """Waits until it holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never came"
        time.sleep(0.01)
    return time.monotonic() - began


class Caller(threading.Thread):
    """Asks on one kept connection until it is told to end."""

    def __init__(self, server):
        super().__init__()
        self.connection = server.connect()
        self.connection.connect()
        self.socket = self.connection.sock
        self.ended = threading.Event()
        self.answers = 0
        self.failure = None

    def run(self):
        try:
            while not self.ended.is_set():
                self.connection.request("GET", "/v2/")
                response = self.connection.getresponse()
                assert (response.status, response.read()) == (200, b"{}")
                assert self.connection.sock is self.socket, "the connection was dropped"
                self.answers += 1
        except (OSError, http.client.HTTPException, AssertionError) as failure:
            self.failure = failure

    def end(self):
        self.ended.set()
        self.join()
        self.connection.close()


def test_a_certificate_is_renewed_under_load_and_nobody_notices(tmp_path, authority):
    renewed = Renewed(tmp_path, authority)
    with renewed.server as server:
        callers = [Caller(server) for _ in range(4)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(20):
                new = renewed.renew()
                eventually(lambda new=new: renewed.served() == new)
        finally:
            for caller in callers:
                caller.end()
        assert [caller.failure for caller in callers] == [None] * 4
        assert sum(caller.answers for caller in callers) > 2000
        assert server.log.read_text().count("was read anew") == 20


def test_a_broken_certificate_leaves_the_old_one_in_force(tmp_path, authority):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    pair = authority.issue("old")
    shutil.copy(pair[0], certificate)
    shutil.copy(pair[1], key)
    with Server(tmp_path / "server", tls=(certificate, key), trust=authority.trust()) as server:
        old = shown_by(server)
        certificate.write_text(certificate.read_text()[:300])
        stays = "what was read before stays in force"
        eventually(lambda: server.log_text().count(stays) == 1)
        assert shown_by(server) == old
        # Certificate and key come one after the other: until they fit, nothing changes.
        pair = authority.issue("new")
        shutil.copy(pair[0], certificate)
        eventually(lambda: "does not belong to the certificate" in server.log_text())
        assert shown_by(server) == old
        shutil.copy(pair[1], key)
        eventually(lambda: shown_by(server) == ssl.PEM_cert_to_DER_cert(pair[0].read_text()))
        assert server.log_text().count(stays) == 2


def test_sighup_takes_a_certificate_up_at_once(tmp_path, authority):
    renewed = Renewed(tmp_path, authority)
    with renewed.server as server:
        first = renewed.served()
        for _ in range(3):
            new = renewed.renew()
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda new=new: renewed.served() == new)
            assert new != first


def test_an_authority_that_is_dropped_lets_nobody_in_any_more(tmp_path, authority):
    clients = [Authority(tmp_path / name) for name in ("first", "second")]
    pair = clients[0].issue("jenkins")
    trusted = tmp_path / "clients.pem"
    trusted.write_text("".join(client.certificate.read_text() for client in clients))
    config = mutual_config(tmp_path, trusted)
    tls = authority.issue("dropping")
    with Server(tmp_path / "server", config, tls=tls, trust=authority.trust()) as server:
        session = tmp_path / "session.pem"
        shown = s_client(server, "-cert", pair[0], "-key", pair[1], "-sess_out", session)
        assert "HTTP/1.1 200" in shown
        assert "Reused" in s_client(server, "-sess_in", session)
        trusted.write_text(clients[1].certificate.read_text())
        eventually(lambda: "was read anew" in server.log_text())
        resumed = s_client(server, "-sess_in", session)
        assert "New, TLSv1" in resumed
        assert "HTTP/1.1 401" in resumed
        refused = s_client(server, "-cert", pair[0], "-key", pair[1])
        assert re.search("alert unknown ca", refused), refused
        good = clients[1].issue("jenkins")
        assert "HTTP/1.1 200" in s_client(server, "-cert", good[0], "-key", good[1])
