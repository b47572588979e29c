"""`berth migrate`, judged by what it replaces: the same requests to a real Apache with a registry 2.8 behind it, and to
a Berth with the configuration that was written for both. The statuses must be the same but for the differences that
stand in DIFFERENCES, each with its reason."""

import json
import os
import stat
from pathlib import Path

import pytest
from apache import Apache, migrate
from server import BINARY, Failed, Server, run, write_htpasswd
from slapd import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd
from slapd import USERS as DIRECTORY_USERS
from wire import MANIFEST_TYPES, Wire, sha256

HOST = Path(__file__).parent / "reference-host"
USERS = {"jenkins": "CI's secret", "alice": "wonder:land", "dora": "a developer's", "mallory": "no friend's"}
REPOSITORIES = ["app", "team/app", "team/deep/er/app", "secret/app", "secrets"]
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
NOBODY = "00000000-0000-0000-0000-000000000000"
MISSING = sha256(b"missing")


def image(repository):
    """A config, a layer, and the manifest of both; of registry:2's own time."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    layer = f"the layer of {repository}".encode()

    def descriptor(kind, data):
        return {
            "mediaType": f"application/vnd.docker.{kind}", "size": len(data), "digest": sha256(data)
        }  # fmt: skip

    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": descriptor("container.image.v1+json", config),
        "layers": [descriptor("image.rootfs.diff.tar.gzip", layer)],
    }
    return config, layer, json.dumps(manifest).encode()


def seed(server):
    """The same images on every server."""
    wire = Wire(server)
    for repository in REPOSITORIES:
        config, layer, manifest = image(repository)
        wire.push_blob(repository, config)
        wire.push_blob(repository, layer)
        for tag in ("1.0", "doomed"):
            wire.push_manifest(repository, tag, manifest, DOCKER_MANIFEST)
    wire.close()


class Request:
    def __init__(self, method, path, body=None, kind=None):
        self.method, self.path, self.body, self.kind = method, path, body, kind

    def send(self, wire):
        headers = {"Accept": MANIFEST_TYPES}
        if self.kind:
            headers["Content-Type"] = self.kind
        body = self.body
        if body is None and self.method in ("POST", "PUT", "PATCH"):
            body = b""
        return wire.call(self.method, self.path, body, headers)

    def __str__(self):
        return f"{self.method} {self.path}"


def requests_for(repository):
    """Reading, writing and deleting what is there, what is not, and what cannot be."""
    _, layer, manifest = image(repository)
    v2 = f"/v2/{repository}"
    blob, digest = sha256(layer), sha256(manifest)
    read = [
        "/v2/",
        "/v2/_catalog",
        f"{v2}/tags/list",
        f"{v2}/manifests/1.0",
        f"{v2}/manifests/{digest}",
        f"{v2}/manifests/missing",
        f"{v2}/manifests/{MISSING}",
        f"{v2}/blobs/{blob}",
        f"{v2}/blobs/{MISSING}",
        f"{v2}/unknown/1.0",
    ]
    made = [Request(method, path) for path in read for method in ("GET", "HEAD")]
    made += [
        Request("GET", "/v2/missing/tags/list"),
        Request("GET", f"{v2}/blobs/uploads/{NOBODY}"),
        Request("POST", f"{v2}/blobs/uploads/"),
        Request("POST", f"{v2}/blobs/uploads/?mount={blob}&from={repository}"),
        Request("POST", f"{v2}/blobs/uploads/?digest={MISSING}", b"other bytes", "application/octet-stream"),
        Request("PATCH", f"{v2}/blobs/uploads/{NOBODY}", b"bytes", "application/octet-stream"),
        Request("PUT", f"{v2}/blobs/uploads/{NOBODY}?digest={blob}", b"bytes", "application/octet-stream"),
        Request("DELETE", f"{v2}/blobs/uploads/{NOBODY}"),
        Request("PUT", f"{v2}/manifests/2.0", manifest, DOCKER_MANIFEST),
        Request("PUT", f"{v2}/manifests/1.0", manifest, DOCKER_MANIFEST),
        Request("PUT", f"{v2}/manifests/{digest}", manifest, DOCKER_MANIFEST),
        Request("PUT", f"{v2}/manifests/{MISSING}", manifest, DOCKER_MANIFEST),
        Request("PUT", f"{v2}/manifests/broken", b"{", DOCKER_MANIFEST),
        Request("DELETE", f"{v2}/manifests/{MISSING}"),
        Request("DELETE", f"{v2}/manifests/missing"),
        Request("DELETE", f"{v2}/blobs/{MISSING}"),
        Request("OPTIONS", "/v2/"),
        Request("OPTIONS", f"{v2}/manifests/1.0"),
        Request("POST", f"{v2}/manifests/1.0"),
        Request("PATCH", f"{v2}/manifests/1.0"),
        Request("PUT", f"{v2}/tags/list"),
        Request("DELETE", f"{v2}/tags/list"),
    ]
    return made


# Whoever asks: a name for the report, the user, the password, the address.
ANYBODY = ("nobody", None, None, "127.0.0.1")
JENKINS = ("jenkins", "jenkins", USERS["jenkins"], "127.0.0.1")
ALICE = ("alice", "alice", USERS["alice"], "127.0.0.1")
DORA = ("dora", "dora", USERS["dora"], "127.0.0.1")
MALLORY = ("mallory", "mallory", USERS["mallory"], "127.0.0.1")
WRONG = ("jenkins with a wrong password", "jenkins", "wrong", "127.0.0.1")
UNKNOWN = ("an unknown user", "eve", "wrong", "127.0.0.1")


def elsewhere(caller):
    """The same caller from another address."""
    name, user, password, _ = caller
    return f"{name} from elsewhere", user, password, "127.0.0.2"


class From:
    """A server as it is reached from an address."""

    def __init__(self, server, address):
        self.server, self.address = server, address

    def connect(self, timeout=60):
        connection = self.server.connect(timeout)
        connection.source_address = (self.address, 0)
        return connection


def is_known(caller):
    return caller[1] in USERS or caller[1] in DIRECTORY_USERS


def is_listing(request):
    return request.path.endswith(("/tags/list", "/_catalog"))


def is_for_no_path(request):
    """No resource takes the method at this path."""
    if request.method == "OPTIONS":
        return True
    if "/manifests/" in request.path:
        return request.method in ("POST", "PATCH")
    return is_listing(request) and request.method not in ("GET", "HEAD")


# What may be different: why, whom and what it is about, Apache's status and Berth's.
DIFFERENCES = [
    (
        "who is known and may not is answered 401 by Apache, and asked for the password again; 403 by Berth",
        lambda caller, request: is_known(caller),
        {(401, 403)},
    ),
    (
        "a method that is for no such path: Berth says so to everybody that may enter, before it looks at rights",
        lambda caller, request: is_for_no_path(request),
        {(401, 405), (403, 405)},
    ),
    (
        "registry 2.8 answers OPTIONS with 200; there is no such request in the protocol",
        lambda caller, request: request.method == "OPTIONS",
        {(200, 405)},
    ),
    (
        "registry 2.8 has no HEAD for listings, where HTTP has HEAD wherever there is GET (RFC 9110, 9.1)",
        lambda caller, request: request.method == "HEAD" and is_listing(request),
        {(405, 200)},
    ),
    (
        "registry 2.8 begins an upload and drops the bytes when they come with the POST (distribution-spec, end-4b)",
        lambda caller, request: request.method == "POST" and "?digest=" in request.path,
        {(202, 400)},
    ),
    (
        "registry 2.8 deletes by digest only; Berth by tag as well (distribution-spec, end-9)",
        lambda caller, request: request.method == "DELETE" and request.path.endswith("/manifests/missing"),
        {(400, 404)},
    ),
    (
        "Berth tells everybody who has logged in that the password was right, also if they may do nothing",
        lambda caller, request: is_known(caller) and request.path == "/v2/",
        {(401, 200), (403, 200)},
    ),
    (
        "a path that is for nothing: Berth says so to everybody that may enter",
        lambda caller, request: "/unknown/" in request.path,
        {(401, 404), (403, 404)},
    ),
    (
        "Berth issues tokens, so GET /v2/ tells whoever has none where they are; without a login, too",
        lambda caller, request: caller[1] is None and request.path == "/v2/",
        {(200, 401)},
    ),
    (
        "Apache does not ask for a password that would not help; Berth asks everybody who has not logged in",
        lambda caller, request: caller[1] is None,
        {(403, 401)},
    ),
    (
        "an upload is its pusher's business: Berth asks for the right to push, whatever the method",
        lambda caller, request: request.method in ("GET", "DELETE") and "/blobs/uploads/" in request.path,
        {(404, 401), (404, 403), (401, 404), (403, 404)},
    ),
]


def is_allowed(caller, request, apache, berth):
    return any(
        fits(caller, request) and (apache, berth) in statuses for _, fits, statuses in DIFFERENCES
    )


class Replaced:
    """Both sides, with the same images."""

    def __init__(self, folder, authority, site, config, files=None):
        certificate, key = authority.issue("registry")
        self.apache = Apache(site, config, authority.trust())
        shared = self.apache.folder
        for name, source in {"registry.crt": certificate, "registry.key": key, "ca.crt": authority.certificate}.items():
            (shared / name).write_bytes(Path(source).read_bytes())
        write_htpasswd(shared / "users", USERS)
        (shared / "users").chmod(0o644)
        (shared / "groups").write_text("developers: dora alice\noperators: jenkins\noperators: dora\n")
        self.folder = folder
        self.report = folder / "report.txt"
        try:
            text = migrate(BINARY, self.apache, folder / "migrated.yml", self.report)
        except BaseException:
            self.apache.stop()
            raise
        self.berth = Server(folder / "berth", trust=authority.trust())
        self.berth.tls = True
        self.migrated = folder / "migrated.yml"
        # Both run at once, so addresses and data are apart; and a battery has many wrong passwords.
        text = text.replace(f"addr: :{self.apache.port}", f"addr: {self.berth.host}")
        text = text.replace(str(shared / "images"), str(self.berth.data))
        throttle = "auth:\n  throttle: {failures: 1000000, addressfailures: 1000000}\n"
        self.text = text.replace("auth:\n", throttle)

    def __enter__(self):
        try:
            with Server(self.berth.folder) as open_to_all:
                seed(open_to_all)
            self.berth.config_path.write_text(self.text)
            self.apache.start()
            seed(self.apache.behind())
            self.berth.start()
        except BaseException:
            self.apache.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        self.apache.stop()
        self.berth.__exit__(kind)

    def compare(self, callers, repositories):
        """Sends everything to both; returns how many requests there were, and what was different."""
        count, different = 0, []
        for caller in callers:
            _, user, password, address = caller
            wires = [Wire(From(server, address), user, password) for server in (self.apache, self.berth)]
            for repository in repositories:
                for request in requests_for(repository):
                    apache, berth = (request.send(wire).status for wire in wires)
                    count += 1
                    if apache != berth and not is_allowed(caller, request, apache, berth):
                        different.append(f"{caller[0]}: {request}: Apache {apache}, Berth {berth}")
            for wire in wires:
                wire.close()
        return count, different


def check(replaced, callers, repositories=("app",), at_least=100):
    count, different = replaced.compare(callers, repositories)
    assert not different, f"{len(different)} of {count}:\n" + "\n".join(different)
    assert count >= at_least


def reference_site():
    text = (HOST / "site.conf").read_text()
    for old, new in {
        "*:443": "*:{port}",
        "/etc/ssl/certs/registry.crt": "{folder}/registry.crt",
        "/etc/ssl/private/registry.key": "{folder}/registry.key",
        "/etc/ssl/certs/registry_chain.crt": "{folder}/ca.crt",
        "localhost:5000": "{registry}",
        "/var/.registrypwd": "{folder}/users",
    }.items():
        assert old in text
        text = text.replace(old, new)
    return text


def reference_config():
    text = (HOST / "config.yml").read_text()
    for old, new in {"addr: :5000": "addr: {registry}", "/var/lib/registry": "{root}"}.items():
        assert old in text
        text = text.replace(old, new)
    return text


CONFIG = """
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: "{root}"}
  delete: {enabled: true}
http:
  addr: "{registry}"
"""

HEAD = """
SSLEngine on
SSLCertificateFile {folder}/registry.crt
SSLCertificateKeyFile {folder}/registry.key
ProxyPass / http://{registry}/
ProxyPreserveHost on
"""

BASIC = """
    AuthType Basic
    AuthName "Registry"
    AuthUserFile {folder}/users
    AuthGroupFile {folder}/groups
"""


def virtual_host(inside):
    return f"<VirtualHost *:{{port}}>{HEAD}{inside}\n</VirtualHost>\n"


def test_the_reference_host(tmp_path, authority):
    """Two hundred requests and more; deletes are off there, as on the host."""
    with Replaced(tmp_path, authority, reference_site(), reference_config()) as replaced:
        assert replaced.report.read_text().endswith(" 0 lost\n")
        check(replaced, [ANYBODY, JENKINS, ALICE, WRONG, UNKNOWN], ["app", "team/deep/er/app"], at_least=400)


def test_the_configuration_is_private_complete_and_good(tmp_path, authority):
    """It loads, only its owner may read it, and what is there is never written over."""
    with Replaced(tmp_path, authority, reference_site(), reference_config()) as replaced:
        assert stat.S_IMODE(os.stat(replaced.migrated).st_mode) == 0o600
        text = replaced.migrated.read_text()
        assert "Strict-Transport-Security: [max-age=31536000]" in text
        assert "service: registry" in text and "environment: production" in text
        assert "the configuration is good" in run([BINARY, "config", "check", replaced.berth.config_path])
        answer = Wire(replaced.berth, "alice", USERS["alice"]).call("GET", "/v2/")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        again = [BINARY, "migrate", "--apache", replaced.apache.site, "--registry", replaced.apache.config]
        report = json.loads(run([*again, "--output", tmp_path / "again.yml", "--json"]))
        assert {line["fate"] for line in report} == {"carried", "needless"}
        assert len(report) > 35 and all(line["place"] and line["directive"] and line["text"] for line in report)
        with pytest.raises(Failed, match="is there already"):
            migrate(BINARY, replaced.apache, replaced.migrated, tmp_path / "other.txt")
        assert replaced.migrated.read_text() == text


SITES = {
    "limit-except": (
        f"""
        <Location /v2/>{BASIC}
          <LimitExcept GET HEAD OPTIONS>
            Require user jenkins
          </LimitExcept>
          <Limit GET HEAD OPTIONS>
            Require valid-user
          </Limit>
        </Location>""",
        [ANYBODY, JENKINS, ALICE, WRONG],
        ["app"],
    ),
    "groups": (
        f"""
        <Location />{BASIC}
          Require group operators
          <Limit GET HEAD>
            Require group developers
          </Limit>
        </Location>""",
        [ANYBODY, JENKINS, ALICE, DORA, MALLORY],
        ["app"],
    ),
    "addresses and users": (
        f"""
        <Location />{BASIC}
          <RequireAll>
            Require valid-user
            Require ip 127.0.0.1 10.0.0.0/8
          </RequireAll>
        </Location>""",
        [ANYBODY, ALICE, elsewhere(ANYBODY), elsewhere(ALICE), WRONG],
        ["app"],
    ),
    "addresses or users": (
        f"""
        <Location />{BASIC}
          <RequireAny>
            Require ip 127.0.0.2
            Require user jenkins
          </RequireAny>
        </Location>""",
        [ANYBODY, JENKINS, ALICE, WRONG, elsewhere(ANYBODY)],
        ["app"],
    ),
    "everybody but": (
        f"""
        <Location />{BASIC}
          <RequireAll>
            Require valid-user
            <RequireNone>
              Require user mallory
              Require group operators
            </RequireNone>
            Require not ip 127.0.0.2
          </RequireAll>
        </Location>""",
        [ANYBODY, JENKINS, ALICE, DORA, MALLORY, elsewhere(ALICE)],
        ["app"],
    ),
    "Order, Allow, Deny, Satisfy Any": (
        f"""
        <Location />{BASIC}
          Order deny,allow
          Deny from all
          Allow from 127.0.0.2
          Satisfy Any
          Require user jenkins
          <Limit GET HEAD>
            Require valid-user
          </Limit>
        </Location>""",
        [ANYBODY, JENKINS, ALICE, WRONG, elsewhere(ANYBODY)],
        ["app"],
    ),
    "Order, Allow, Deny, all": (
        f"""
        <Location />{BASIC}
          Order allow,deny
          Allow from all
          Deny from 127.0.0.2
          Require user jenkins alice
        </Location>""",
        [ANYBODY, JENKINS, MALLORY, elsewhere(JENKINS)],
        ["app"],
    ),
    "repositories": (
        f"""
        <Location />{BASIC}
          Require user jenkins
          <Limit GET HEAD>
            Require valid-user
          </Limit>
        </Location>
        <Location /v2/team/>
          Require valid-user
        </Location>
        <Location /v2/secret>
          Require user jenkins
        </Location>
        <LocationMatch "^/v2/team/deep/">
          Require group operators
        </LocationMatch>""",
        [ANYBODY, JENKINS, ALICE, DORA],
        REPOSITORIES,
    ),
    "the traps of Limit": (
        f"""
        <Location />{BASIC}
          Require valid-user
          <Limit PUT POST PATCH DELETE>
            Require user jenkins
          </Limit>
        </Location>
        <Location /v2/team>
          <Limit PUT POST PATCH DELETE>
            Require user jenkins
          </Limit>
        </Location>""",
        [ANYBODY, JENKINS, ALICE],
        ["app", "team/app"],
    ),
}


@pytest.mark.parametrize("name", SITES)
def test_a_site_with(name, tmp_path, authority):
    inside, callers, repositories = SITES[name]
    with Replaced(tmp_path, authority, virtual_host(inside), CONFIG) as replaced:
        check(replaced, callers, repositories)


def test_a_site_with_a_directory(tmp_path, authority):
    """Users and groups of a real slapd, which both ask."""
    with Slapd(tmp_path / "slapd") as directory:
        site = virtual_host(f"""
        <Location />
          AuthType Basic
          AuthName "Directory"
          AuthBasicProvider ldap
          AuthLDAPURL "ldap://{directory.host}/{PEOPLE}?uid?sub?(objectClass=inetOrgPerson)"
          AuthLDAPBindDN "{SERVICE}"
          AuthLDAPBindPassword "{SERVICE_PASSWORD}"
          <Limit GET HEAD>
            Require valid-user
          </Limit>
          <LimitExcept GET HEAD>
            Require ldap-group cn=reviewers,{GROUPS}
            Require ldap-group cn=devs,{GROUPS}
            Require ldap-user carol
          </LimitExcept>
        </Location>""")
        names = ["alice", "bob", "carol", "o'brien, jr"]
        callers = [(name, name, DIRECTORY_USERS[name], "127.0.0.1") for name in names]
        callers += [ANYBODY, UNKNOWN, ("alice with a wrong password", "alice", "wrong", "127.0.0.1")]
        with Replaced(tmp_path, authority, site, CONFIG) as replaced:
            assert SERVICE_PASSWORD not in replaced.report.read_text()
            check(replaced, callers)
