"""A real rsyslogd for one test, as an ordinary process: it listens in each way and writes down what it understood."""

import json
import signal
import subprocess
import time
from pathlib import Path

from server import free_port

WITH_CERTIFICATES = 'StreamDriver.AuthMode="x509/name" PermittedPeer=["berth.example.org"]'

# `parsed` is what mmpstrucdata made of the structured data: a map.
CONFIG = """
global(workDirectory="{folder}" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{ca}"
       defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}" maxMessageSize="16k"
       net.enableDNS="off" parser.escapeControlCharactersOnReceive="off")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1"
       {clients})
module(load="mmpstrucdata")
input(type="imuxsock" Socket="{unix}" UseSpecialParser="off" UseSysTimeStamp="off" IgnoreTimestamp="off"
      RateLimit.Interval="0")
input(type="imudp" Address="127.0.0.1" Port="{udp}" RateLimit.Interval="0")
input(type="imptcp" Address="127.0.0.1" Port="{tcp}")
input(type="imtcp" Address="127.0.0.1" Port="{tls}")
template(name="line" type="list" option.jsonf="on") {{
    property(outname="facility" name="syslogfacility-text" format="jsonf")
    property(outname="severity" name="syslogseverity-text" format="jsonf")
    property(outname="version" name="protocol-version" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="pid" name="procid" format="jsonf")
    property(outname="id" name="msgid" format="jsonf")
    property(outname="data" name="structured-data" format="jsonf")
    property(outname="parsed" name="$!rfc5424-sd" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
}}
action(type="mmpstrucdata")
action(type="omfile" file="{output}" template="line")
"""


class Rsyslogd:
    """`authority` makes its certificate. Start it by `with` or start()."""

    def __init__(self, folder, authority, client_certificates=False):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.output = self.folder / "lines"
        self.unix = self.folder / "log"
        self.ports = {way: free_port() for way in ("udp", "tcp", "tls")}
        certificate, key = authority.issue("rsyslogd")
        self.config = self.folder / "rsyslog.conf"
        self.config.write_text(
            CONFIG.format(
                folder=self.folder,
                ca=authority.certificate,
                certificate=certificate,
                key=key,
                clients=WITH_CERTIFICATES if client_certificates else 'StreamDriver.AuthMode="anon"',
                unix=self.unix,
                output=self.output,
                **self.ports,
            )
        )
        self.process = None

    def address(self, way):
        return f"unix:{self.unix}" if way == "unix" else f"{way}://127.0.0.1:{self.ports[way]}"

    def start(self):
        log = open(self.folder / "rsyslogd.log", "ab")  # the child keeps it
        with log:
            self.process = subprocess.Popen(
                ["rsyslogd", "-n", "-f", str(self.config), "-i", str(self.folder / "pid")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_for_sockets()
        return self

    def _log(self):
        return (self.folder / "rsyslogd.log").read_text(errors="replace")[-3000:]

    def _wait_for_sockets(self):
        deadline = time.monotonic() + 20
        while not self._listens():
            assert self.process.poll() is None, self._log()
            assert time.monotonic() < deadline, "rsyslogd does not listen:\n" + self._log()
            time.sleep(0.02)

    def _listens(self):
        """In the kernel's own words: a connection for a try would be a line to rsyslogd."""
        def bound(protocol, port, state):
            wanted = (f"0100007F:{port:04X}", state)
            rows = (line.split() for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:])
            return any((row[1], row[3]) == wanted for row in rows)

        return (
            self.unix.exists()
            and bound("udp", self.ports["udp"], "07")
            and bound("tcp", self.ports["tcp"], "0A")
            and bound("tcp", self.ports["tls"], "0A")
        )

    def kill(self):
        """As a crash is: what it has not written is lost."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        self.unix.unlink(missing_ok=True)

    def lines(self, **fields):
        """Those with these fields, oldest first."""
        if not self.output.exists():
            return []
        whole = self.output.read_text().splitlines(keepends=True)
        read = [json.loads(line) for line in whole if line.endswith("\n")]
        for line in read:
            line["parsed"] = json.loads(line["parsed"] or "{}")
        return [line for line in read if all(line.get(key) == value for key, value in fields.items())]

    def wait_for(self, accepts, seconds=20):
        """The first line that `accepts`."""
        deadline = time.monotonic() + seconds
        while True:
            for line in self.lines():
                if accepts(line):
                    return line
            texts = [line["text"][:200] for line in self.lines()[-20:]]
            assert time.monotonic() < deadline, f"no such line in {texts}\n{self._log()}"
            time.sleep(0.05)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
