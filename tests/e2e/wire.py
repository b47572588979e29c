"""The distribution protocol in a page of Python: what the tests send themselves, without any client's manners."""

import base64
import hashlib
import http.client
import json
from urllib.parse import urlencode, urlsplit

MANIFEST_TYPES = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def error(self):
        """The first error's code."""
        return self.json()["errors"][0]["code"]

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


class Wire:
    """One connection to a server, kept open; opened anew after a failure. Not thread-safe."""

    def __init__(self, server, user=None, password=None):
        self.server = server
        self.headers = {}
        if user:
            pair = f"{user}:{password}".encode()
            self.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def call(self, method, target, body=None, headers=None):
        """`target` may be a Location: absolute or a path. Raises OSError or HTTPException when no answer comes."""
        parts = urlsplit(target)
        path = parts.path + ("?" + parts.query if parts.query else "")
        if self.connection is None:
            self.connection = self.server.connect()
        try:
            chunked = body is not None and not isinstance(body, (bytes, bytearray))
            self.connection.request(
                method, path, body=body, headers={**self.headers, **(headers or {})}, encode_chunked=chunked
            )
            response = self.connection.getresponse()
            return Answer(response, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def begin(self, repository):
        answer = self.call("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
        assert answer.status == 202, answer
        return answer.headers["Location"]

    def push_blob(self, repository, data):
        """Monolithic, in two requests. Returns the digest."""
        digest = sha256(data)
        answer = self.call("PUT", with_query(self.begin(repository), digest=digest), data)
        assert answer.status == 201, answer
        return digest

    def push_manifest(self, repository, reference, manifest, media_type=None):
        """`manifest` is a dict or the exact bytes. Returns the digest."""
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        kind = media_type or json.loads(data)["mediaType"]
        answer = self.call("PUT", f"/v2/{repository}/manifests/{reference}", data, {"Content-Type": kind})
        assert answer.status == 201, answer
        return sha256(data)

    def pull_blob(self, repository, digest):
        return self.call("GET", f"/v2/{repository}/blobs/{digest}")

    def pull_manifest(self, repository, reference):
        return self.call("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": MANIFEST_TYPES})

    def tags(self, repository):
        answer = self.call("GET", f"/v2/{repository}/tags/list")
        assert answer.status == 200, answer
        return answer.json()["tags"] or []


def with_query(location, **parameters):
    return location + ("&" if "?" in location else "?") + urlencode(parameters)
