"""The image of Berth: made from nothing, loaded and run by a Docker daemon, configured in each way that registry:2's is."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest
from docker_daemon import docker_archive, docker_daemon
from server import BINARY, ROOT, free_port, run

BYTES_MAX = 15_000_000  # what is stored and pulled
UNPACKED_BYTES_MAX = 35_000_000
REFERENCE_HOST = ROOT / "tests/e2e/reference-host"


# The commit and its time, which may go on while the tests run.
COMMIT = {"REVISION": "0" * 40, "SOURCE_DATE_EPOCH": "1800000000"}


def make_image(path, environment=None, umask=-1):
    environment = {**os.environ, **COMMIT, **(environment or {})}
    run([ROOT / "scripts/image", "--build", BINARY.parent, "--output", path], env=environment, umask=umask)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return make_image(tmp_path_factory.mktemp("image") / "berth-image.tar")


@pytest.fixture(scope="module")
def docker(client_of, tmp_path_factory, authority, archive):
    with docker_daemon(tmp_path_factory.mktemp("d"), authority) as address:
        client = client_of("docker", prefix=["-H", address])
        assert "Loaded image: berth:latest" in client("load", "-i", archive)
        yield client


class Container:
    """`docker run --detach` of an image of Berth on a free port of this machine; gone at the end."""

    def __init__(self, docker, options=(), image="berth", command=()):
        self.docker = docker
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        address = f"REGISTRY_HTTP_ADDR={self.host}"
        words = ["run", "--detach", "--network", "host", "--env", address, *options, image, *command]
        self.id = docker(*words).splitlines()[-1].strip()

    def __enter__(self):
        try:
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.docker("rm", "--force", "--volumes", self.id)

    def inspect(self, field):
        return self.docker("inspect", "--format", "{{json " + field + "}}", self.id).strip()

    def logs(self):
        return self.docker("logs", self.id)

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        return False

    def wait_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while not self.answers():
            assert self.inspect(".State.Running") == "true" and time.monotonic() < deadline, self.logs()
            time.sleep(0.02)


def config(folder, name, marker, addr=":5000"):
    """A configuration whose log lines say `marker`; its path below `folder`."""
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "version": 0.1,
        "log": {"fields": {"marker": marker}},
        "storage": {"filesystem": {"rootdirectory": "/var/lib/registry"}},
        "http": {"addr": addr},
    }
    path.write_text(json.dumps(settings))
    return path


def push(docker, host, name):
    """Pushes an image of its own and pulls it again; returns the manifest's digest."""
    reference = f"{host}/{name}:1.0"
    archive = docker.folder / f"{name}.tar"
    archive.write_bytes(docker_archive(reference, name))
    docker("load", "-i", archive)
    docker("push", reference)
    docker("image", "rm", reference)
    docker("pull", reference)
    return docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", reference).strip().split("@")[1]


def test_it_is_small(docker, archive):
    assert archive.stat().st_size <= BYTES_MAX
    assert int(docker("image", "inspect", "--format", "{{.Size}}", "berth")) <= UNPACKED_BYTES_MAX


def test_packing_again_gives_the_same_bytes(archive, tmp_path):
    again = make_image(tmp_path / "again.tar", {"TZ": "Asia/Tokyo", "LC_ALL": "C"}, umask=0o077)
    assert again.read_bytes() == archive.read_bytes()


def test_skopeo_reads_it_in_both_forms(archive, client_of):
    skopeo = client_of("skopeo")
    for form in ("oci-archive", "docker-archive"):
        image = json.loads(skopeo("inspect", "--config", f"{form}:{archive}"))
        labels = image["config"]["Labels"]
        assert labels["org.opencontainers.image.title"] == "Berth"
        assert labels["org.opencontainers.image.version"] in run([BINARY, "--version"])


def test_it_looks_like_the_original(docker):
    settings = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", "berth"))
    assert "5000/tcp" in settings["ExposedPorts"]
    assert "/var/lib/registry" in settings["Volumes"]
    assert "DISTRIBUTION_DIR=/go/src/github.com/docker/distribution" in settings["Env"]


def test_serves_the_originals_default_from_a_data_directory(docker, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with Container(docker, ["--volume", f"{data}:/var/lib/registry", "--restart=always"]) as registry:
        digest = push(docker, registry.host, "default")
        hexadecimal = digest.removeprefix("sha256:")
        assert (data / f"docker/registry/v2/blobs/sha256/{hexadecimal[:2]}/{hexadecimal}/data").exists()
        assert "service=registry" in registry.logs()


@pytest.mark.parametrize("place", ["/etc/docker/registry/config.yml", "/etc/distribution/config.yml"])
def test_serves_a_mounted_configuration(docker, tmp_path, place):
    file = config(tmp_path, "config.yml", "mounted")
    with Container(docker, ["--volume", f"{file}:{place}:ro"]) as registry:
        assert "marker=mounted" in registry.logs()


@pytest.mark.parametrize(
    "command",
    [
        ["/my/config.yml"],
        ["serve", "/my/config.yml"],
        ["registry", "serve", "/my/config.yml"],
        ["/bin/registry", "serve", "/my/config.yml"],
    ],
)
def test_takes_the_originals_arguments(docker, tmp_path, command):
    file = config(tmp_path, "config.yml", "named")
    with Container(docker, ["--volume", f"{file}:/my/config.yml:ro"], command=command) as registry:
        assert "marker=named" in registry.logs()


def test_is_configured_by_the_environment(docker, tmp_path):
    file = config(tmp_path, "config.yml", "pointed-to")
    options = ["--volume", f"{file}:/my/c:ro", "--env", "REGISTRY_CONFIGURATION_PATH=/my/c"]
    with Container(docker, [*options, "--env", "REGISTRY_LOG_FIELDS_WHO=variable"]) as registry:
        assert "marker=pointed-to" in registry.logs()
        assert "who=variable" in registry.logs()


def test_takes_a_file_copied_into_a_stopped_container(docker, tmp_path):
    """`docker create`, `docker cp`, `docker start`, as orchestration scripts do it."""
    file = config(tmp_path, "config.yml", "copied", addr=(host := f"127.0.0.1:{free_port()}"))
    name = docker("create", "--network", "host", "berth").strip()
    try:
        docker("cp", file, f"{name}:/etc/docker/registry/config.yml")
        docker("start", name)
        deadline = time.monotonic() + 30
        while f"listening on http://{host}" not in (logs := docker("logs", name)):
            assert time.monotonic() < deadline, logs
            time.sleep(0.02)
        assert "marker=copied" in logs
    finally:
        docker("rm", "--force", name)


def test_the_reference_hosts_dockerfile_works_with_only_its_from_changed(docker, tmp_path):
    shutil.copy(REFERENCE_HOST / "config.yml", tmp_path / "config.yml")
    (tmp_path / "Dockerfile").write_text(
        "FROM berth\nCOPY config.yml $DISTRIBUTION_DIR/cmd/registry/config.yml\n"
    )
    docker.environment["DOCKER_BUILDKIT"] = "0"
    docker("build", "--tag", "company-registry", tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    options = ["--volume", f"{data}:/var/lib/registry", "--restart=always", "--name=registry"]
    with Container(docker, options, image="company-registry") as registry:
        assert "environment=production" in registry.logs()
        push(docker, registry.host, "reference")
    with Container(docker, image="company-registry", command=["cmd/registry/config.yml"]) as registry:
        assert "environment=production" in registry.logs()


def test_the_commands_inside_work_on_what_is_served(docker):
    with Container(docker) as registry:
        push(docker, registry.host, "listed")
        assert "listed" in docker("exec", registry.id, "berth", "ls")
        assert "/var/lib/registry" in docker("exec", registry.id, "registry", "config", "print")


def test_says_its_version_and_what_it_does_not_do(docker):
    version = run([BINARY, "--version"])
    for command in (["--version"], ["-v"], ["registry", "--version"]):
        assert docker("run", "--rm", "--network", "none", "berth", *command) == version
    docker.refused(
        "run", "--rm", "--network", "none", "berth", "garbage-collect", "--delete-untagged",
        "/etc/docker/registry/config.yml", saying="does not collect garbage",
    )  # fmt: skip
    docker.refused("run", "--rm", "--network", "none", "berth", "sh", saying="not expected: sh")


def test_has_no_shell(docker):
    docker.refused("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", "berth", saying="no such file")


def test_comes_back_after_a_crash(docker):
    with Container(docker, ["--restart=always"]) as registry:
        push(docker, registry.host, "crashed")
        os.kill(int(registry.inspect(".State.Pid")), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while registry.inspect(".RestartCount") == "0" or not registry.answers():
            assert time.monotonic() < deadline, registry.logs()
            time.sleep(0.02)
        docker("pull", f"{registry.host}/crashed:1.0")


def test_docker_stop_is_graceful(docker):
    with Container(docker) as registry:
        docker("stop", "--time", "20", registry.id)
        assert registry.inspect(".State.ExitCode") == "0"
        assert "stopped" in registry.logs()


def test_logs_by_dockers_syslog_driver(docker):
    """What docker sends is what stands on standard output and error: the server's lines and the access log."""
    folder = docker.folder / "syslog"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as collector:
        collector.bind(str(folder / "log"))
        collector.settimeout(30)
        options = ["--log-driver=syslog", "--log-opt", f"syslog-address=unixgram://{folder}/log"]
        with Container(docker, options):
            lines = ""
            while '"GET /v2/ HTTP/1.1" 200' not in lines or "listening on" not in lines:
                lines += collector.recv(65536).decode(errors="replace")
