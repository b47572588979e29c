"""Where the log goes: syslog in each way to a real rsyslogd, the journal, mail; and what one costs that is away.

systemd-journald runs under systemd only, so a socket of the test's own is in its place and reads the native protocol.
"""

import contextlib
import os
import signal
import socket
import ssl
import time
from datetime import datetime

import pytest
from rsyslogd import Rsyslogd
from server import Server, free_port, merge
from smtp_server import SmtpServer
from wire import Wire

WAYS = ["unix", "udp", "tcp", "tls"]
ODD = 'a "b" ]c\\d é'  # of a field in each line
PASSWORD = "the mailer's own secret"


def logged(folder, log, **options):
    """A server with this `log` section, not started; a field of it is hard to write down."""
    base = {"level": "debug", "fields": {"odd one": ODD}}
    return Server(folder / "server", {"log": merge(base, log)}, **options)


def to_syslog(collector, way, authority, **syslog):
    trust = {"ca": str(authority.certificate)} if way == "tls" else {}
    return {"syslog": {"address": collector.address(way), "facility": "local3", **trust, **syslog}}


def wait_until(holds, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def log_of(server):
    return server.log_text(1 << 30)


def get(server, target, **headers):
    wire = Wire(server)
    answer = wire.call("GET", target, headers=headers)
    wire.close()
    return answer


def push(server, number):
    """Returns how long it took."""
    wire = Wire(server)
    began = time.monotonic()
    wire.push_blob("team/app", b"a layer, number %d" % number)
    wire.close()
    return time.monotonic() - began


@pytest.fixture
def collector(tmp_path, authority):
    with Rsyslogd(tmp_path / "rsyslogd", authority) as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_rsyslogd_understands_each_line(tmp_path, authority, collector, way):
    with logged(tmp_path, to_syslog(collector, way, authority, access=True, appname="registry")) as server:
        get(server, "/v2/none/tags/list?a=%5D%22", **{"User-Agent": 'x"]\\[berth@1 a="b"]'})
        line = collector.wait_for(lambda line: "/v2/none/" in line["text"] and line["id"] == "server")
        assert line["facility"] == "local3"
        assert line["severity"] == "debug"
        assert line["version"] == "1"
        assert line["host"] == socket.gethostname()
        assert line["app"] == "registry"
        assert line["pid"] == str(server.process.pid)
        assert line["time"].endswith("Z")
        assert abs(datetime.fromisoformat(line["time"]).timestamp() - time.time()) < 60
        assert line["text"].startswith("response completed http.request.host=")
        data = line["parsed"]["berth@32473"]
        assert data["odd_one"] == ODD
        assert data["http.request.uri"] == "/v2/none/tags/list?a=%5D%22"
        assert data["http.request.useragent"] == 'x"]\\[berth@1 a="b"]'
        assert data["http.response.status"] == "404"

        access = collector.wait_for(lambda line: "/v2/none/" in line["text"] and line["id"] == "access")
        assert access["text"].startswith("127.0.0.1 - - [")
        assert '"GET /v2/none/tags/list?a=%5D%22 HTTP/1.1" 404 ' in access["text"]
        assert (access["severity"], access["facility"]) == ("info", "local3")
    # At the end all is sent, and nothing was said about a collector that is away.
    collector.wait_for(lambda line: line["text"].startswith("stopped "))
    assert "syslog" not in log_of(server)


@pytest.mark.parametrize("way", WAYS)
def test_a_long_line_is_cut_between_characters(tmp_path, authority, collector, way):
    with logged(tmp_path, to_syslog(collector, way, authority)) as server:
        get(server, "/v2/long/tags/list", **{"User-Agent": "é".encode().decode("latin-1") * 6000})
        line = collector.wait_for(lambda line: "/v2/long/" in line["text"])
        assert "http.request.useragent" not in line["parsed"]["berth@32473"]
        size = len(line["text"].encode())
        assert (1_000 if way == "udp" else 6_000) < size < (2_048 if way == "udp" else 8_192)
        assert line["text"].endswith("é")


def test_a_client_certificate_is_shown(tmp_path, authority):
    certificate, key = authority.issue("berth", common_name="berth.example.org", names=["DNS:berth.example.org"])
    with Rsyslogd(tmp_path / "rsyslogd", authority, client_certificates=True) as collector:
        log = to_syslog(collector, "tls", authority, certificate=str(certificate), key=str(key))
        with logged(tmp_path, log):
            collector.wait_for(lambda line: line["text"].startswith("listening on "))


def test_a_collector_with_a_foreign_certificate_gets_nothing(tmp_path, authority, collector):
    foreign = type(authority)(tmp_path / "foreign")
    with logged(tmp_path, to_syslog(collector, "tls", foreign)) as server:
        wait_until(lambda: "the certificate is not accepted" in log_of(server), "no word of the certificate")
        assert push(server, 1) < 5
        assert collector.lines() == []


def test_the_collector_dies_and_comes_back(tmp_path, authority, collector):
    """All that was logged has either arrived or is counted as lost, to the line; and pushes went on."""
    with logged(tmp_path, to_syslog(collector, "tcp", authority, access=True)) as server:
        for log in ("server", "access"):  # the last lines of the start
            collector.wait_for(lambda line, log=log: "/healthz" in line["text"] and line["id"] == log)
        wait_until(lambda: len(collector.lines()) == len(lines_of(server)), "not all lines have arrived")
        collector.kill()

        seconds = [push(server, number) for number in range(5)]
        wait_until(lambda: "lines wait for it" in log_of(server), "no word of the collector")
        wire = Wire(server)
        for _ in range(1_200):  # of more than 8 KB in both logs: more than the queue takes
            wire.call("GET", "/v2/flood/tags/list", headers={"User-Agent": "u" * 8_000})
        wire.close()
        seconds += [push(server, number) for number in range(5, 10)]
        assert max(seconds) < 5

        collector.start()
        loss = collector.wait_for(lambda line: "log lines are lost" in line["text"])
        assert (loss["severity"], loss["id"]) == ("warning", "server")
        wait_until(lambda: "works again" in log_of(server), "no word of its return")
        push(server, 10)
    losses = [line for line in collector.lines() if "log lines are lost" in line["text"]]
    lost = sum(int(line["parsed"]["berth@32473"]["lines"]) for line in losses)
    assert lost > 100
    wait_until(
        lambda: len(collector.lines()) - len(losses) + lost == len(lines_of(server)),
        "what has arrived and what is lost are not all",
    )


def lines_of(server):
    """Of both logs, without what the sinks say of themselves."""
    return [line for line in log_of(server).splitlines() if 'msg="syslog ' not in line]


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_a_collector_that_hangs_holds_nothing_up(tmp_path, authority, collector, way):
    with logged(tmp_path, to_syslog(collector, way, authority, access=True)) as server:
        collector.wait_for(lambda line: line["text"].startswith("listening on "))
        collector.process.send_signal(signal.SIGSTOP)
        wire = Wire(server)
        for _ in range(200):  # as much as the queue takes
            wire.call("GET", "/v2/flood/tags/list", headers={"User-Agent": "u" * 8_000})
        wire.close()
        assert max(push(server, number) for number in range(5)) < 5
        collector.process.send_signal(signal.SIGCONT)
        get(server, "/v2/after/tags/list")
        collector.wait_for(lambda line: "/v2/after/" in line["text"])
        assert not [line for line in collector.lines() if "log lines are lost" in line["text"]]


def test_a_collector_that_never_comes_does_not_hold_up_the_end(tmp_path):
    with logged(tmp_path, {"syslog": {"address": f"tcp://127.0.0.1:{free_port()}"}}) as server:
        push(server, 1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        assert "not sent at the end: " in log_of(server)


@pytest.mark.parametrize("way", WAYS)
def test_lines_go_on_after_signals(tmp_path, authority, collector, way):
    log = to_syslog(collector, way, authority, access=True)
    with logged(tmp_path, {**log, "accesslog": {"path": str(tmp_path / "access.log")}}) as server:
        for number, number_of_signal in enumerate([signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP]):
            (tmp_path / "access.log").rename(tmp_path / "access.log.1")
            server.process.send_signal(number_of_signal)
            wait_until((tmp_path / "access.log").exists, "the access log is not opened anew")
            get(server, f"/v2/after{number}/tags/list")
            for log_id in ("server", "access"):
                collector.wait_for(
                    lambda line, n=number, log=log_id: f"/v2/after{n}/" in line["text"] and line["id"] == log
                )


def test_access_lines_go_where_they_are_wanted(tmp_path, authority, collector):
    log = {**to_syslog(collector, "unix", authority, access=True), "accesslog": {"disabled": True}}
    with logged(tmp_path / "on", log) as server:
        get(server, "/v2/wanted/tags/list")
        collector.wait_for(lambda line: "/v2/wanted/" in line["text"] and line["id"] == "access")
    assert '"GET /v2/' not in log_of(server)
    with logged(tmp_path / "off", to_syslog(collector, "unix", authority)) as server:
        get(server, "/v2/unwanted/tags/list")
        pid = str(server.process.pid)
    collector.wait_for(lambda line: line["text"].startswith("stopped ") and line["pid"] == pid)
    assert [line["id"] for line in collector.lines() if "/v2/unwanted/" in line["text"]] == ["server"]
    assert '"GET /v2/unwanted/' in log_of(server)


class Journal:
    """The journal's socket."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(20)

    def close(self):
        self.socket.close()
        self.path.unlink()

    def entry(self):
        return self.fields_of(self.socket.recv(1 << 20))

    @staticmethod
    def fields_of(data):
        """systemd.io/JOURNAL_NATIVE_PROTOCOL"""
        fields = {}
        while data:
            head, _, data = data.partition(b"\n")
            name, equals, value = head.partition(b"=")
            if not equals:
                size = int.from_bytes(data[:8], "little")
                value, end, data = data[8 : 8 + size], data[8 + size : 9 + size], data[9 + size :]
                assert end == b"\n"
            fields[name.decode("ascii")] = value.decode()
        return fields

    def entry_with(self, part):
        while True:
            entry = self.entry()
            if part in entry["MESSAGE"]:
                return entry


@pytest.fixture
def journal(tmp_path):
    with contextlib.closing(Journal(tmp_path / "journal")) as running:
        yield running


def test_the_journal_has_entries_with_fields(tmp_path, journal):
    with logged(tmp_path, {"journald": {"socket": str(journal.path), "access": True}}) as server:
        get(server, "/v2/none/tags/list", **{"User-Agent": "docker/99"})
        access = journal.entry_with("/v2/none/")
        line = journal.entry_with("/v2/none/")
        if access["BERTH_LOG"] != "access":
            access, line = line, access
        assert line["PRIORITY"] == "7"
        assert line["SYSLOG_IDENTIFIER"] == "berth"
        assert line["BERTH_LOG"] == "server"
        assert line["BERTH_ODD_ONE"] == ODD
        assert line["BERTH_HTTP_RESPONSE_STATUS"] == "404"
        assert line["BERTH_HTTP_REQUEST_USERAGENT"] == "docker/99"
        assert line["MESSAGE"].startswith("response completed http.request.host=")
        assert access["PRIORITY"] == "6"
        assert access["MESSAGE"].startswith("127.0.0.1 - - [")
    assert journal.entry_with("stopped")["PRIORITY"] == "6"
    assert "response completed" in log_of(server), "standard error has the lines too"


def test_a_journal_that_restarts_misses_nothing(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(path)
    with logged(tmp_path, {"journald": {"socket": str(path)}}) as server:
        journal.entry_with("listening on")
        journal.close()
        assert push(server, 1) < 5
        get(server, "/v2/between/tags/list")
        with contextlib.closing(Journal(path)) as again:
            again.entry_with("/v2/between/")
            server.stop()
            again.entry_with("stopped")


def test_nothing_is_in_the_journal_twice(tmp_path, journal):
    """As systemd starts it: standard output and error lead to the journal, and the environment says so."""
    server = logged(tmp_path, {"journald": {"socket": str(journal.path), "access": True}})
    server.log.touch()
    status = os.stat(server.log)
    server.environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    with server:
        get(server, "/v2/once/tags/list")
        journal.entry_with("/v2/once/")
        journal.entry_with("/v2/once/")
    assert log_of(server) == ""


def mails(port, **smtp):
    """log.hooks as registry:2 has it."""
    options = {"smtp": {"addr": f"127.0.0.1:{port}", **smtp}, "from": "berth@example.org", "to": ["ops@example.org"]}
    return {"hooks": [{"type": "mail", "levels": ["error"], "options": options}]}


def make_an_error(server):
    """An access log that cannot be opened anew is one."""
    server.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: "the old file stays in use" in log_of(server), "no error")


@contextlib.contextmanager
def without_access_log(tmp_path, log):
    """A server whose access log's folder has gone."""
    folder = tmp_path / "access"
    folder.mkdir()
    with logged(tmp_path, {**log, "accesslog": {"path": str(folder / "access.log")}}) as server:
        folder.rename(tmp_path / "moved")
        yield server


def test_an_error_is_mailed(tmp_path, authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("mail"))
    with SmtpServer(context) as mailer:
        log = mails(mailer.port, username="berth", password=PASSWORD, insecure=True)
        with without_access_log(tmp_path, log) as server:
            make_an_error(server)
            mail = mailer.wait_for(1)[0]
            assert mail["tls"]
            assert mail["user"] == ("berth", PASSWORD, True)
            assert mail["envelope"][0].startswith("MAIL FROM:<berth@example.org>")
            assert [line.split()[1] for line in mail["envelope"][1:]] == ["TO:<ops@example.org>"]
            message = mail["message"]
            assert message["Subject"].startswith(f"[error] {socket.gethostname()}: the access log ")
            assert (message["From"], message["To"]) == ("berth@example.org", "ops@example.org")
            assert message["Auto-Submitted"] == "auto-generated"
            body = message.get_content()
            assert body.count("level=error") == 1 and "the old file stays in use" in body
            assert f'odd_one="{ODD}"'.replace('"b"', '\\"b\\"').replace("c\\d", "c\\\\d") in body

            # Within the minute there is no other mail, until the end brings the rest in one.
            for _ in range(3):
                count = log_of(server).count("level=error")
                server.process.send_signal(signal.SIGUSR1)
                wait_until(lambda n=count: log_of(server).count("level=error") > n, "no further error")
            assert len(mailer.mails) == 1
            server.stop()
            assert len(mailer.mails) == 2
            assert mailer.mails[1]["message"].get_content().count("level=error") == 3
            assert PASSWORD not in log_of(server)


def test_a_mail_server_that_is_not_trusted_gets_no_password(tmp_path, authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("mail"))
    with SmtpServer(context) as mailer:
        with without_access_log(tmp_path, mails(mailer.port, username="berth", password=PASSWORD)) as server:
            make_an_error(server)
            wait_until(lambda: f"mail by 127.0.0.1:{mailer.port}: " in log_of(server), "no word of the mail server")
            assert "certificate" in log_of(server)
            server.stop()
            assert mailer.users == []
            assert PASSWORD not in log_of(server)


@pytest.mark.parametrize("host, users", [("127.0.0.1", [("berth", PASSWORD, False)]), ("127.0.0.2", [])])
def test_a_password_goes_to_this_machine_alone_without_tls(tmp_path, host, users):
    """127.0.0.2 is as far as this test goes: not one of the names that mean this machine."""
    with SmtpServer(host=host) as mailer:
        log = mails(mailer.port, username="berth", password=PASSWORD, addr=f"{host}:{mailer.port}")
        with without_access_log(tmp_path, log) as server:
            make_an_error(server)
            wait_until(lambda: mailer.mails or "mail by " in log_of(server), "neither a mail nor a word of it")
            server.stop()
        assert mailer.users == users


def test_a_mail_server_that_is_away_costs_mails_alone(tmp_path):
    port = free_port()
    with without_access_log(tmp_path, mails(port)) as server:
        make_an_error(server)
        wait_until(lambda: f"mail by 127.0.0.1:{port}: " in log_of(server), "no word of the mail server")
        assert push(server, 1) < 5
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        assert log_of(server).count(f"mail by 127.0.0.1:{port}: ") == 1
