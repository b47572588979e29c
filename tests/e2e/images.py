"""Small images made from nothing: tars, OCI layouts, manifests. The same arguments always give the same bytes."""

import gzip
import hashlib
import io
import json
import tarfile

from wire import sha256

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def noise(seed, size):
    """Bytes that do not compress and differ by seed."""
    return hashlib.shake_256(str(seed).encode()).digest(size)


def tar(files):
    """An uncompressed tar of {name: bytes}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o755
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data), **more}


class Image:
    """One image: its blobs by digest and its manifest's bytes."""

    def __init__(self, seed, architecture="amd64", layers=2, size=5000):
        self.blobs = {}
        self.platform = {"architecture": architecture, "os": "linux"}
        plain = [tar({f"file-{number}": noise((seed, architecture, number), size)}) for number in range(layers)]
        packed = [gzip.compress(layer, mtime=0) for layer in plain]
        config = json.dumps(
            {
                **self.platform,
                "config": {"Cmd": ["/file-0"]},
                "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in plain]},
                "history": [{"created_by": f"test {number}"} for number in range(layers)],
            }
        ).encode()
        for data in [*packed, config]:
            self.blobs[sha256(data)] = data
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": descriptor(CONFIG, config),
                "layers": [descriptor(LAYER, data) for data in packed],
            }
        ).encode()
        self.digest = sha256(self.manifest)

    def push(self, wire, repository, reference):
        for data in self.blobs.values():
            wire.push_blob(repository, data)
        return wire.push_manifest(repository, reference, self.manifest)


def index_of(images):
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [descriptor(MANIFEST, image.manifest, platform=image.platform) for image in images],
        }
    ).encode()


def write_layout(folder, images, tag="latest"):
    """An OCI layout folder with one image, or an index of several, under `tag`. Returns its manifest's digest."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    contents = {}
    for image in images:
        contents.update(image.blobs)
        contents[image.digest] = image.manifest
    top, kind = (images[0].manifest, MANIFEST) if len(images) == 1 else (index_of(images), INDEX)
    contents[sha256(top)] = top
    for digest, data in contents.items():
        (blobs / digest.removeprefix("sha256:")).write_bytes(data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    entry = descriptor(kind, top, annotations={"org.opencontainers.image.ref.name": tag})
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))
    return sha256(top)
