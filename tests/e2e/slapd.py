"""A real OpenLDAP server for one test: its data, its certificate, its start and its end."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from server import free_port, run

SUFFIX = "dc=example,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
SERVICE = f"cn=service,{SUFFIX}"
SERVICE_PASSWORD = "the service's own"
ROOT = (f"cn=root,{SUFFIX}", "root's own")

# Who there is, with their passwords; the names are what an attacker would type, and a person might have.
USERS = {
    "alice": "wonder:land",
    "bob": "builder",
    "carol": "christmas",
    "*": "a star's",
    "a)(uid=*": "an odd one's",
    "o'brien, jr": "a junior's",
    "jörg müller": "pässwörd",
}

# Groups by kind of object, with their members: alice is in staff through three groups, and these go round in a circle.
GROUP_MEMBERS = {
    "devs": ("groupOfNames", ["alice", "group:staff"]),
    "engineering": ("groupOfNames", ["group:devs"]),
    "company": ("groupOfNames", ["group:engineering"]),
    "staff": ("groupOfNames", ["group:company"]),
    "reviewers": ("groupOfUniqueNames", ["bob"]),
    "posix": ("posixGroup", ["carol", "o'brien, jr"]),
}
MEMBER = {"groupOfNames": "member", "groupOfUniqueNames": "uniqueMember", "posixGroup": "memberUid"}


def escape(value):
    """As a value in a distinguished name (RFC 4514)."""
    return "".join(f"\\{ord(char):02x}" if char in '"+,;<=>\\' else char for char in value)


def person(name):
    return f"uid={escape(name)},{PEOPLE}"


def group(name):
    return f"cn={name},{GROUPS}"


def member_of(kind, member):
    if member.startswith("group:"):
        return group(member.removeprefix("group:"))
    return member if kind == "posixGroup" else person(member)


def entry(dn, **attributes):
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        lines += [f"{name}: {value}" for value in (values if isinstance(values, list) else [values])]
    return "\n".join(lines) + "\n\n"


def entries():
    text = entry(SUFFIX, objectClass=["dcObject", "organization"], dc="example", o="Example")
    text += entry(PEOPLE, objectClass="organizationalUnit", ou="people")
    text += entry(GROUPS, objectClass="organizationalUnit", ou="groups")
    text += entry(
        SERVICE,
        objectClass=["organizationalRole", "simpleSecurityObject"],
        cn="service",
        userPassword=SERVICE_PASSWORD,
    )
    for name, password in USERS.items():
        text += entry(person(name), objectClass="inetOrgPerson", uid=name, cn=name, sn=name, userPassword=password)
    for name, (kind, members) in GROUP_MEMBERS.items():
        values = {MEMBER[kind]: [member_of(kind, member) for member in members]}
        if kind == "posixGroup":
            values["gidNumber"] = "100"
        text += entry(group(name), objectClass=kind, cn=name, **values)
    return text


class Slapd:
    """One slapd on free ports of 127.0.0.1, with the mdb backend and the memberof overlay. Start it by `with`.

    Only the service account reads what is there. `authority` gives it a certificate: StartTLS, and ldaps.
    """

    def __init__(self, folder, authority=None, name="directory"):
        self.folder = Path(folder)
        (self.folder / "data").mkdir(parents=True)
        self.port, self.tls_port = free_port(), free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.tls_host = f"127.0.0.1:{self.tls_port}"
        self.tls = authority is not None
        self.process = None
        self.program = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert self.program, "slapd is not installed: scripts/install-test does that"
        lines = [f"include /etc/ldap/schema/{schema}.schema" for schema in ("core", "cosine", "nis", "inetorgperson")]
        lines += ["modulepath /usr/lib/ldap", "moduleload back_mdb", "moduleload memberof"]
        if authority:
            certificate, key = authority.issue(name)
            lines += [f"TLSCertificateFile {certificate}", f"TLSCertificateKeyFile {key}"]
        lines += [
            "database mdb",
            "maxsize 16777216",
            "dbnosync",
            f'suffix "{SUFFIX}"',
            f'rootdn "{ROOT[0]}"',
            f'rootpw "{ROOT[1]}"',
            f"directory {self.folder}/data",
            "overlay memberof",
            "access to attrs=userPassword by anonymous auth by * none",
            f'access to * by dn.exact="{SERVICE}" read by self read by * none',
        ]
        self.configuration = self.folder / "slapd.conf"
        self.configuration.write_text("\n".join(lines) + "\n")
        self.loaded = False

    def start(self, seconds=20):
        urls = f"ldap://{self.host}/"
        if self.tls:
            # At 127.0.0.2 as well, which the certificate does not name.
            urls += f" ldap://127.0.0.2:{self.port}/ ldaps://{self.tls_host}/ ldaps://127.0.0.2:{self.tls_port}/"
        log = self.folder / "slapd.log"
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [self.program, "-h", urls, "-f", self.configuration, "-d", "none"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + seconds
        for port in [self.port, *([self.tls_port] if self.tls else [])]:
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                    break
                assert self.process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.005)
        if not self.loaded:
            self._run("ldapadd", entries())
            self.loaded = True
        return self

    def stop(self):
        process, self.process = self.process, None
        if process:
            process.terminate()
            process.send_signal(signal.SIGCONT)
            process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def freeze(self):
        """It answers nobody, and closes no connection."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def change(self, ldif):
        self._run("ldapmodify", ldif)

    def set_password(self, dn, password):
        self.change(f"dn: {dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: {password}\n")

    def _run(self, program, ldif):
        run([program, "-x", "-D", ROOT[0], "-w", ROOT[1], "-H", f"ldap://{self.host}"], input=ldif)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def ldap_config(hosts, scheme="ldap", groups=None, **more):
    """The section auth.ldap for Slapd servers at `hosts`; groups are searched if nothing else is said."""
    return {
        "url": f"{scheme}://{hosts}/{PEOPLE}?uid?sub?(objectClass=inetOrgPerson)",
        "binddn": SERVICE,
        "bindpassword": SERVICE_PASSWORD,
        "groups": {"base": GROUPS} if groups is None else groups,
        **more,
    }
