"""Measures Berth beside its peers and writes the table: bench/results/latest.{json,md}, README.md.

usage: bench.py [ROUNDS]   (3; each figure is the median of the rounds)

Every server gets the same image and the same requests, in turn. CPU is what /proc says of the server's processes and
their children. Requests per second depend on this machine and on the load beside it; ratios hold elsewhere.
"""

import base64
import datetime
import hashlib
import http.client
import json
import os
import platform
import re
import secrets
import ssl
import statistics
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

from peers import ROOT, Berth, Nginx, Registry, make_certificate

MIB = 1 << 20
SECONDS = 2
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
RESULTS = ROOT / "bench/results"
PUSH = ROOT / "build/release/bench/berth_push"
DISTRIBUTION = ROOT / ".tools/bin/registry"


def processes_of(peer):
    """The peer's processes and all their descendants."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
            except OSError:
                pass
    found, waiting = set(), [process.pid for process in peer.processes]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def cpu_seconds(peer):
    ticks = 0
    for pid in processes_of(peer):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(int(field) for field in fields[11:15])
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(peer):
    """Proportional set size, so that pages shared by a server's processes count once."""
    kib = 0
    for pid in processes_of(peer):
        try:
            kib += int(re.search(r"\nPss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text()).group(1))
        except (OSError, AttributeError):
            pass
    return kib / 1024


class Client:
    """What is needed to fill a registry."""

    def __init__(self, peer):
        self.headers = {}
        if peer.credentials:
            self.headers["Authorization"] = "Basic " + base64.b64encode(":".join(peer.credentials).encode()).decode()
        address = ("127.0.0.1", peer.port)
        self.connection = (
            http.client.HTTPSConnection(*address, context=ssl._create_unverified_context())
            if peer.secure
            else http.client.HTTPConnection(*address)
        )

    def call(self, method, target, body, expected, read=None, **headers):
        parts = urllib.parse.urlsplit(target)
        path = parts.path + ("?" + parts.query if parts.query else "")
        self.connection.request(method, path, body, {**self.headers, **headers})
        response = self.connection.getresponse()
        text = response.read()
        if response.status != expected:
            raise SystemExit(f"{method} {target}: {response.status} {text[:300]}")
        return read(text) if read else response

    def push_blob(self, repository, data):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        location = self.call("POST", f"/v2/{repository}/blobs/uploads/", b"", 202).headers["Location"]
        location += ("&" if "?" in location else "?") + "digest=" + digest
        self.call("PUT", location, data, 201)
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}

    def push_image(self, repository, big, small):
        layers = [self.push_blob(repository, big)] + [self.push_blob(repository, small)] * 9
        config = {**layers[1], "mediaType": "application/vnd.oci.image.config.v1+json"}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        body = json.dumps(manifest).encode()
        self.call("PUT", f"/v2/{repository}/manifests/latest", body, 201, **{"Content-Type": MANIFEST})
        return body, layers[0]["digest"], layers[1]["digest"]


def bearer(peer):
    """The header with a token of the peer's token service; none for who asks nobody to log in."""
    if not peer.credentials:
        return {}
    client = Client(peer)
    answer = client.call("GET", "/token?scope=repository:bench/app:pull", None, 200, read=json.loads)
    return {"Authorization": "Bearer " + answer["token"]}


def get(peer, path, connections, accept=None, headers=None):
    """GETs for a few seconds by wrk, with the peer's credentials unless `headers` are given."""
    headers = [f"{name}: {value}" for name, value in (headers or Client(peer).headers).items()]
    headers += [f"Accept: {accept}"] if accept else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "--latency"]
    for header in headers:
        command += ["-H", header]
    before = cpu_seconds(peer)
    output = subprocess.run([*command, peer.url + path], capture_output=True, text=True, check=True).stdout
    cpu = cpu_seconds(peer) - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{peer.name} {path}:\n{output}")
    count = int(re.search(r"(\d+) requests in", output).group(1))
    latency = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    read, unit = re.search(r"requests in [^,]+, ([\d.]+)(\w+) read", output).groups()
    gigabytes = float(read) * {"KB": 1 << 10, "MB": MIB, "GB": 1 << 30}[unit] / 1e9
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "cpu_us": cpu / count * 1e6,
        "cpu_s_per_gb": cpu / gigabytes,
        "p99_ms": float(latency.group(1)) * {"us": 0.001, "ms": 1, "s": 1000}[latency.group(2)],
    }


def push(peer, kind, count, size, parallel):
    """Pushes by berth_push, into a repository of their own."""
    credentials = "," + ":".join(peer.credentials) if peer.credentials else ""
    repository = "bench/" + secrets.token_hex(4)
    before = cpu_seconds(peer)
    command = [PUSH, peer.url + credentials, kind, str(count), str(size), str(parallel), repository]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{peer.name}: {done.stderr}")
    cpu = cpu_seconds(peer) - before
    said = json.loads(done.stdout)
    return {
        "rate": count / said["seconds"],
        "cpu_us": cpu / count * 1e6,
        "cpu_s_per_gb": cpu / (count * size / 1e9) if said["bytes"] else None,
        "p99_ms": said["p99_ms"],
    }


# Each row: what is done, how it is measured, and the figures that are shown.
WORK = {
    "manifest by tag": (lambda p: get(p, p.paths[0], 16, MANIFEST), ("rate", "cpu_us", "p99_ms")),
    "manifest by tag, with a bearer token": (
        lambda p: get(p, p.paths[0], 16, MANIFEST, bearer(p)),
        ("rate", "cpu_us", "p99_ms"),
    ),
    "4 KiB blob": (lambda p: get(p, p.paths[1], 16), ("rate", "cpu_us", "p99_ms")),
    "64 MiB blob": (lambda p: get(p, p.paths[2], 4), ("cpu_s_per_gb",)),
    "push 64 MiB blobs, 4 at once": (lambda p: push(p, "blobs", 8, 64 * MIB, 4), ("cpu_s_per_gb",)),
    "push 4 KiB blobs, 8 at once": (lambda p: push(p, "blobs", 1000, 4096, 8), ("rate", "cpu_us", "p99_ms")),
    "push 3,000 tags, 8 at once": (lambda p: push(p, "tags", 3000, 64, 8), ("rate", "cpu_us", "p99_ms")),
}
UNITS = {
    "rate": ("{:,.0f}/s", "rate"),
    "cpu_us": ("{:,.0f} µs", "CPU"),
    "cpu_s_per_gb": ("{:.2f} s/GB", "CPU"),
    "p99_ms": ("{:.1f} ms", "p99"),
}


def make_peers(folder, tls):
    nginx, debian = "nginx, the same as files", "registry 2.8.2"
    return {
        "plain": [
            Berth("Berth", folder / "plain", None),
            Nginx(nginx, folder / "plain", None),
            Registry(debian, folder / "plain", None, "/usr/bin/docker-registry"),
            Registry("distribution 3.1", folder / "plain", None, DISTRIBUTION),
        ],
        "over TLS with Basic": [
            Berth("Berth", folder / "tls", tls),
            Nginx(nginx + ", nobody logs in", folder / "tls", tls),
            Registry(debian + " behind Apache", folder / "tls", tls, "/usr/bin/docker-registry", apache=True),
            Registry("distribution 3.1", folder / "tls", tls, DISTRIBUTION),
        ],
    }


def prepare(peer, big, small):
    """Starts it, notes its idle memory, and gives it the image."""
    peer.start()
    peer.idle_mib = memory_mib(peer)
    if peer.pushes:
        prepare.manifest, big_digest, small_digest = Client(peer).push_image("bench/app", big, small)
        blobs = "/v2/bench/app/blobs/"
        peer.paths = ("/v2/bench/app/manifests/latest", blobs + small_digest, blobs + big_digest)
    else:
        files = {"manifest": prepare.manifest, "small": small, "big": big}
        for name, data in files.items():
            (peer.folder / "files" / name).write_bytes(data)
        peer.paths = tuple("/" + name for name in files)


def measure(peers, rounds):
    """{work: {peer: {figure: median}}}"""
    samples = {}
    for number in range(rounds):
        for work, (action, _) in WORK.items():
            for peer in peers:
                if work.startswith("push") and not peer.pushes:
                    continue
                if "bearer" in work and not (peer.secure and peer.takes_bearer):
                    continue
                figures = action(peer)
                samples.setdefault(work, {}).setdefault(peer.name, []).append(figures)
                print(f"  round {number + 1}: {work}: {peer.name}: {show(figures, figures)}", flush=True)
    return {
        work: {
            name: {
                key: statistics.median(sample[key] for sample in each)
                for key in each[0]
                if each[0][key] is not None
            }
            for name, each in by_name.items()
        }
        for work, by_name in samples.items()
    }  # fmt: skip


def show(figures, keys):
    return " · ".join(UNITS[key][0].format(figures[key]) for key in keys if figures.get(key) is not None)


def table(results):
    lines = []
    for way, part in results["measured"].items():
        names = list(part["idle_mib"])
        lines += [f"| {way} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for work, by_name in part["work"].items():
            keys = WORK[work][1]
            title = f"{work}: " + " · ".join(UNITS[key][1] for key in keys)
            cells = [show(by_name[name], keys) if name in by_name else "–" for name in names]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
        cells = [f"{part['start_ms'][name]:.0f} ms · {part['idle_mib'][name]:.0f} MiB" for name in names]
        lines += ["| start to first answer · idle memory | " + " | ".join(cells) + " |", ""]
    return "\n".join(lines)


def write(results):
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(results, indent=2) + "\n")
    head = (
        f"Measured {results['date']} on {results['machine']}, over loopback, load and server on the same cores; "
        f"median of {results['rounds']} rounds (`make bench`).\n\n"
    )
    text = head + table(results)
    (RESULTS / "latest.md").write_text(text)
    readme = ROOT / "README.md"
    if readme.exists():
        old = readme.read_text()
        new = re.sub(
            r"(<!-- bench -->\n).*?(<!-- /bench -->)",
            lambda match: match.group(1) + text + match.group(2),
            old,
            flags=re.S,
        )
        readme.write_text(new)
    print("\n" + text)


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores of {model.group(1) if model else platform.machine()}"


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "rounds": rounds,
        "measured": {},
    }
    big, small = secrets.token_bytes(64 * MIB), secrets.token_bytes(4096)
    with tempfile.TemporaryDirectory(prefix="berth-bench-") as name:
        folder = Path(name)
        tls = make_certificate(folder)
        for way, peers in make_peers(folder, tls).items():
            print(way, flush=True)
            try:
                for peer in peers:
                    prepare(peer, big, small)
                results["measured"][way] = {
                    "work": measure(peers, rounds),
                    "start_ms": {peer.name: peer.start_ms for peer in peers},
                    "idle_mib": {peer.name: peer.idle_mib for peer in peers},
                }
            finally:
                for peer in peers:
                    peer.stop()
    write(results)


if __name__ == "__main__":
    main()
