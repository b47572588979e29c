"""docker: the daemon and its command, as a person and a CI job use them. The daemon is started here, by hand."""

import pytest
from docker_daemon import docker_daemon
from images import Image, index_of, noise, tar
from refusals import NOT_ALLOWED, UNKNOWN, WRONG_PASSWORD
from server import USERS
from wire import Wire


@pytest.fixture(scope="module")
def daemon(tmp_path_factory, authority):
    """The socket's address of a Docker daemon."""
    with docker_daemon(tmp_path_factory.mktemp("d"), authority) as socket:
        yield socket


@pytest.fixture(scope="module")
def docker_for(client_of, daemon):
    return lambda name: client_of("docker", name, prefix=["-H", daemon])


def login(client, registry, user, password):
    return client("login", registry.host, "-u", user, "--password-stdin", input=password)


@pytest.fixture(scope="module")
def docker(docker_for, registry):
    client = docker_for("jenkins")
    assert "Login Succeeded" in login(client, registry, "jenkins", USERS["jenkins"])
    return client


@pytest.fixture(scope="module")
def alice(docker_for, registry):
    client = docker_for("alice")
    login(client, registry, "alice", USERS["alice"])
    return client


def load(client, reference, seed):
    """Makes an image of one file."""
    path = client.folder / f"{seed}.tar"
    path.write_bytes(tar({"content": noise(seed, 200_000)}))
    client("import", path, reference)
    return reference


def identity(client, reference):
    return client("image", "inspect", "-f", "{{.Id}}", reference).strip()


@pytest.fixture(scope="module")
def pushed(docker, registry):
    reference = load(docker, f"{registry.host}/docker/app:1.0", "docker")
    docker("push", reference)
    return reference, identity(docker, reference)


def test_push_and_pull_give_the_same_image(docker, alice, pushed):
    reference, image = pushed
    docker("image", "rm", reference)
    docker.refused("image", "inspect", image, saying="no such image")
    alice("pull", reference)
    assert identity(docker, reference) == image


def test_pulls_by_digest(docker, alice, registry, jenkins, pushed):
    digest = jenkins.pull_manifest("docker/app", "1.0").headers["Docker-Content-Digest"]
    assert digest in alice("pull", f"{registry.host}/docker/app@{digest}")


def test_a_second_push_sends_nothing_again(docker, pushed):
    assert "Layer already exists" in docker("push", pushed[0])


def test_pushing_to_another_repository_mounts_the_layers(docker, registry, pushed):
    copy = f"{registry.host}/docker/copy:1.0"
    docker("tag", pushed[0], copy)
    assert "Mounted from docker/app" in docker("push", copy)


def test_pushes_all_tags(docker, jenkins, registry, pushed):
    for tag in ("a", "b"):
        docker("tag", pushed[0], f"{registry.host}/docker/many:{tag}")
    docker("push", "--all-tags", f"{registry.host}/docker/many")
    assert jenkins.tags("docker/many") == ["a", "b"]


def test_pulls_its_platform_of_a_multi_platform_image(alice, registry, jenkins):
    images = [Image("docker", "amd64"), Image("docker", "arm64")]
    for image in images:
        image.push(jenkins, "docker/platforms", image.digest)
    jenkins.push_manifest("docker/platforms", "1.0", index_of(images))
    reference = f"{registry.host}/docker/platforms:1.0"
    for architecture in ("amd64", "arm64"):
        alice("pull", "--platform", f"linux/{architecture}", reference)
        assert alice("image", "inspect", "-f", "{{.Architecture}}", reference).strip() == architecture


def test_docker_manifest_makes_a_multi_platform_image(docker_for, plain):
    """`docker manifest` speaks to the registry from the command itself, and on loopback only ever by plain HTTP."""
    client = docker_for("plain")
    parts = []
    for architecture in ("amd64", "arm64"):
        reference = f"{plain.host}/docker/both:{architecture}"
        load(client, reference, architecture)
        client("push", reference)
        parts.append(reference)
    both = f"{plain.host}/docker/both:1.0"
    client.environment["DOCKER_CLI_EXPERIMENTAL"] = "enabled"
    client("manifest", "create", "--insecure", both, *parts)
    client("manifest", "annotate", "--arch", "arm64", both, parts[1])
    client("manifest", "push", "--insecure", both)
    answer = Wire(plain).pull_manifest("docker/both", "1.0")
    assert answer.headers["Content-Type"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert [entry["platform"]["architecture"] for entry in answer.json()["manifests"]] == ["amd64", "arm64"]
    client("image", "rm", parts[1])
    client("pull", "--platform", "linux/arm64", both)


def test_a_deleted_image_is_not_pulled(docker, alice, registry, jenkins):
    reference = load(docker, f"{registry.host}/docker/deleted:1.0", "deleted")
    docker("push", reference)
    docker("image", "rm", reference)
    digest = jenkins.pull_manifest("docker/deleted", "1.0").headers["Docker-Content-Digest"]
    assert jenkins.call("DELETE", f"/v2/docker/deleted/manifests/{digest}").status == 202
    alice.refused("pull", reference, saying=UNKNOWN)


def test_a_wrong_password_is_refused(docker_for, registry):
    docker_for("mallory").refused(
        "login", registry.host, "-u", "jenkins", "--password-stdin", input="guess", saying=WRONG_PASSWORD
    )


def test_nobody_pulls_without_logging_in(docker_for, pushed):
    """On 127.0.0.1 docker asks again over plain HTTP, and shows what it is told there."""
    docker_for("nobody").refused(
        "pull", pushed[0], saying="no basic auth|unauthorized|authentication required|this port speaks TLS: use https"
    )


def test_alice_may_not_push(docker, alice, registry):
    reference = load(docker, f"{registry.host}/docker/app:alice", "alice")
    alice.refused("push", reference, saying=NOT_ALLOWED)


def test_an_unknown_name_is_not_found(alice, registry):
    alice.refused("pull", f"{registry.host}/docker/nothing:here", saying=UNKNOWN)
