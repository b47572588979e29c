"""Makes a root as registry:2 leaves it, has Berth take it over, and prints what that took.

Each manifest is an image with a config and a layer of its own, on a layer that its repository shares, and has a tag.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/e2e"))
from registry_tree import fill  # noqa: E402
from server import Server  # noqa: E402
from wire import Wire  # noqa: E402

STARTS = 5


def memory(server, key):
    """In MiB, of /proc/PID/status."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(key + ":"))


def cpu_seconds(server):
    with open(f"/proc/{server.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def forget_files():
    """The files are read from the disk then, where we may say so."""
    subprocess.run(["sync"], check=True)
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
        return True
    except OSError:
        return False


def take_over(server):
    """Seconds from the start of the process until the catalog answers."""
    began = time.monotonic()
    server.start()
    wire = Wire(server)
    while wire.call("GET", "/v2/_catalog?n=1").status != 200:
        time.sleep(0.05)
    wire.close()
    return time.monotonic() - began


def measure(folder, manifests, repositories):
    root = folder / "root"
    fill(root, manifests, repositories)
    config = {
        "storage": {"filesystem": {"rootdirectory": str(root)}},
        "log": {"level": "error", "accesslog": {"disabled": True}},
    }
    rows = []
    for name in ("from the disk", "from memory"):
        if name == "from the disk" and not forget_files():
            continue
        shutil.rmtree(root / "berth", ignore_errors=True)
        server = Server(folder / "server", config)
        seconds = take_over(server)
        rows.append((f"taken over, files {name}", f"{seconds:.1f} s, {manifests / seconds:,.0f} manifests/s"))
        rows.append(("  CPU", f"{cpu_seconds(server):.1f} s, {cpu_seconds(server) / manifests * 1e6:.0f} µs a manifest"))
        rows.append(("  peak memory", f"{memory(server, 'VmHWM'):.0f} MiB"))
        server.stop()
    rows.append(("index", f"{(root / 'berth/index.db').stat().st_size / 2**20:.0f} MiB"))
    starts = []
    for _ in range(STARTS):
        began = time.monotonic()
        server.start()
        starts.append(time.monotonic() - began)
        idle = memory(server, "VmRSS")
        server.stop()
    rows.append(("start to first answer after it", f"{sorted(starts)[STARTS // 2] * 1000:.0f} ms"))
    rows.append(("  idle memory", f"{idle:.0f} MiB"))
    return rows


def main():
    manifests = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    repositories = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    folder = Path(tempfile.mkdtemp(prefix="berth-adoption-"))
    try:
        rows = measure(folder, manifests, repositories)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"| {manifests:,} manifests in {repositories:,} repositories | |\n|---|---|")
    for row in rows:
        print("| {} | {} |".format(*row))


if __name__ == "__main__":
    main()
