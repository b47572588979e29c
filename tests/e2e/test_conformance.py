"""The OCI's own conformance program, every category on: nothing may fail, be skipped or be disabled."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter

from server import USERS, Server, secure_config

CHECKS_AT_LEAST = 800  # fewer would mean that categories were off


def verdicts(folder):
    """Counter of statuses, and the names of the checks that did not pass."""
    cases = list(ElementTree.parse(folder / "junit.xml").getroot().iter("testcase"))
    bad = [f"{case.get('status')}: {case.get('name')}" for case in cases if case.get("status") != "passed"]
    return Counter(case.get("status") for case in cases), bad


def conformance(folder, host, **settings):
    program = shutil.which("conformance")
    assert program, "conformance is not installed: scripts/install-test does that"
    environment = {
        **os.environ,
        "OCI_REGISTRY": host,
        "OCI_VERSION": "dev",
        "OCI_DATA_SPARSE": "true",
        "OCI_API_BLOBS_DIGEST_HEADER": "true",
        "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
        "OCI_RESULTS_DIR": str(folder),
        **settings,
    }
    done = subprocess.run(
        [program], env=environment, cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    counts, bad = verdicts(folder)
    assert not bad, f"{dict(counts)}\n" + "\n".join(bad) + "\n" + done.stdout[-4000:]
    assert done.returncode == 0, done.stdout[-4000:]
    for word in ("FAIL", "Skip", "Disabled", "Error"):
        lines = [line for line in done.stdout.splitlines() if line.rstrip().endswith(f" {word}")]
        assert not lines, "\n".join(lines)
    assert counts["passed"] >= CHECKS_AT_LEAST, counts


def sparse(folder, **more):
    """The suite also pushes images without their layers, and layers that lie elsewhere: that is a setting."""
    config = {"validation": {"enabled": False}, **more.pop("config", {})}
    return Server(folder, config, **more)


def test_conforms_over_http(tmp_path):
    with sparse(tmp_path / "server") as server:
        conformance(tmp_path / "results", server.host, OCI_TLS="disabled")


def test_conforms_over_tls_with_passwords_and_the_rule(tmp_path, authority):
    pair = authority.issue("conformance")
    with sparse(tmp_path / "server", config=secure_config(tmp_path), tls=pair, trust=authority.trust()) as server:
        conformance(
            tmp_path / "results", server.host, OCI_TLS="enabled", OCI_USERNAME="jenkins",
            OCI_PASSWORD=USERS["jenkins"], SSL_CERT_FILE=str(authority.certificate),
        )  # fmt: skip
