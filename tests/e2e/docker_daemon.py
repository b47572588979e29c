"""A Docker daemon of one's own, started by hand, and images for it that are the same in every run."""

import contextlib
import json
import os
import shutil
import subprocess
import time

from images import noise, tar
from wire import sha256


@contextlib.contextmanager
def docker_daemon(folder, authority):
    """A daemon with its own data and socket and no network of its own; gives the socket's address."""
    socket = f"unix://{folder}/docker.sock"
    command = [
        *([] if os.geteuid() == 0 else ["sudo", "-n"]), shutil.which("dockerd") or "dockerd",
        "--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "docker.pid",
        "--host", socket, "--storage-driver", "vfs", "--iptables=false", "--ip6tables=false", "--bridge=none",
        "--config-file", folder / "none.json",
    ]  # fmt: skip
    (folder / "none.json").write_text("{}")
    with open(folder / "log", "wb") as log:
        environment = {**os.environ, "SSL_CERT_FILE": str(authority.certificate)}
        process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, env=environment)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(["docker", "-H", socket, "version"], capture_output=True, check=False).returncode != 0:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-3000:]
            time.sleep(0.2)
        yield socket
    finally:
        process.terminate()
        process.wait(30)
        # What a container of --network host leaves mounted would keep the folder from being removed.
        subprocess.run(["umount", folder / "exec/netns/default"], capture_output=True, check=False)


def docker_archive(reference, seed):
    """The bytes of a `docker save` tar of one image; the same arguments always give the same image."""
    layer = tar({"content": noise(seed, 200_000)})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": {"Cmd": ["/content"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(layer)]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "test"}],
        }
    ).encode()
    name = sha256(config).removeprefix("sha256:") + ".json"
    manifest = [{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]
    return tar({name: config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()})
