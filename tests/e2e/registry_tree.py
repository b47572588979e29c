"""registry:2's files, written without it: its tree of link files and blobs, for tests that need much of it or damage.

    docker/registry/v2/blobs/sha256/ab/<hex>/data
    docker/registry/v2/repositories/<name>/_layers/sha256/<hex>/link
    docker/registry/v2/repositories/<name>/_manifests/revisions/sha256/<hex>/link
    docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/current/link
    docker/registry/v2/repositories/<name>/_manifests/tags/<tag>/index/sha256/<hex>/link
"""

import json
import os
import random
from pathlib import Path

from images import CONFIG, LAYER, MANIFEST, descriptor
from wire import sha256


class Tree:
    """The tree below a registry's root. Nothing is synced: it is for tests."""

    def __init__(self, root):
        self.root = Path(root)
        self.base = f"{root}/docker/registry/v2"

    # Where things are.

    def blob(self, digest):
        algorithm, hex_digits = digest.split(":")
        return Path(f"{self.base}/blobs/{algorithm}/{hex_digits[:2]}/{hex_digits}/data")

    def repository(self, name):
        return Path(f"{self.base}/repositories/{name}")

    def layer_link(self, name, digest):
        return Path(f"{self.base}/repositories/{name}/_layers/{digest.replace(':', '/')}/link")

    def revision_link(self, name, digest):
        return Path(f"{self.base}/repositories/{name}/_manifests/revisions/{digest.replace(':', '/')}/link")

    def tag_link(self, name, tag):
        return Path(f"{self.base}/repositories/{name}/_manifests/tags/{tag}/current/link")

    # Writing.

    def write(self, path, data):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            file = os.open(path, flags, 0o644)
        except FileNotFoundError:
            make_folders(os.path.dirname(path))
            file = os.open(path, flags, 0o644)
        os.write(file, data)
        os.close(file)

    def add_blob(self, name, data):
        """Bytes that the repository may serve. Returns the digest."""
        digest = sha256(data)
        self.write(self.blob(digest), data)
        self.link_blob(name, digest)
        return digest

    def link_blob(self, name, digest):
        self.write(self.layer_link(name, digest), digest.encode())

    def add_manifest(self, name, data, *tags):
        """The bytes as they are, with or without tags. Returns the digest."""
        digest = sha256(data)
        self.write(self.blob(digest), data)
        self.write(self.revision_link(name, digest), digest.encode())
        for tag in tags:
            self.tag(name, tag, digest)
        return digest

    def tag(self, name, tag, digest):
        folder = f"{self.base}/repositories/{name}/_manifests/tags/{tag}"
        self.write(f"{folder}/current/link", digest.encode())
        self.write(f"{folder}/index/{digest.replace(':', '/')}/link", digest.encode())

    def add_image(self, name, image, *tags):
        """An images.Image."""
        for data in image.blobs.values():
            self.add_blob(name, data)
        return self.add_manifest(name, image.manifest, *tags)

    def add_upload(self, name, upload_id, data=b"half", started_at="2020-01-02T03:04:05Z"):
        """What a client that went away leaves."""
        folder = f"{self.base}/repositories/{name}/_uploads/{upload_id}"
        self.write(f"{folder}/startedat", started_at.encode())
        self.write(f"{folder}/data", data)


def make_folders(path):
    """As os.makedirs(), which looks at every folder above first."""
    try:
        os.mkdir(path)
    except FileNotFoundError:
        make_folders(os.path.dirname(path))
        os.mkdir(path)


def tiny_image(seed, base):
    """A manifest with a config and a layer of its own on the layer `base`: (blobs, manifest)."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "seed": seed}).encode()
    layer = f"layer of {seed}".encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": [descriptor(LAYER, base), descriptor(LAYER, layer)],
    }
    return [config, layer], json.dumps(manifest).encode()


def fill(root, manifests, repositories, seed="tree"):
    """Writes so many tiny images, evenly over so many repositories of names up to three deep, each with a tag of its own.

    Returns {repository: {tag: digest}}. The same arguments give the same tree.
    """
    tree = Tree(root)
    chance = random.Random(seed)
    names = []
    for number in range(repositories):
        above = f"team-{chance.randrange(repositories // 10 + 1)}"
        names.append([f"app-{number}", f"{above}/app-{number}", f"{above}/apps/app-{number}"][number % 3])
    filled = {name: {} for name in names}
    for number in range(manifests):
        name = names[number % repositories]
        base = f"base of {name}".encode()
        if not filled[name]:
            tree.add_blob(name, base)
        blobs, manifest = tiny_image(f"{seed}-{number}", base)
        for data in blobs:
            tree.add_blob(name, data)
        tag = f"v{number // repositories}"
        filled[name][tag] = tree.add_manifest(name, manifest, tag)
    return filled
