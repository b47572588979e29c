"""The configuration: what `berth config` says of it, and that variables mean what they mean to registry:2."""

import json
import os
import re
import subprocess

import pytest

from registry2 import Distribution3, Registry2
from server import BINARY, Failed, run

PLAIN = {"version": 0.1, "storage": {"inmemory": {}}, "http": {"addr": "127.0.0.1:0"}}


def environment(variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "OTEL_"))}
    return {**kept, "OTEL_TRACES_EXPORTER": "none", **variables}


def config(*args, variables=None):
    return run([BINARY, "config", *args], env=environment(variables or {}))


def effective(*args, variables=None):
    """Path → (value, source), of what is in force."""
    said = json.loads(config("print", "--json", *args, variables=variables))
    return {one["path"]: (one["value"], one["source"]) for one in said}


def written(tmp_path, content):
    path = tmp_path / "config.yml"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_print_says_where_each_value_comes_from(tmp_path):
    path = written(
        tmp_path,
        "version: 0.1\n"
        "storage:\n"
        "  filesystem: {rootdirectory: /data}\n"
        "http:\n"
        "  addr: 127.0.0.1:7\n"
        "  secret: very-secret\n",
    )
    variables = {"REGISTRY_LOG_LEVEL": "debug", "REGISTRY_HTTP_HEADERS": "{X-A: [b]}"}
    said = config("print", path, variables=variables)
    for line in (
        rf"    rootdirectory: /data +# {path}:3",
        rf"  addr: 127\.0\.0\.1:7 +# {path}:5",
        rf"  secret: \(hidden\) +# {path}:6",
        r"  level: debug +# REGISTRY_LOG_LEVEL",
        r"    X-A:\n      - b +# REGISTRY_HTTP_HEADERS",
        r"  prefix: / +# default",
    ):
        assert re.search(rf"^{line}$", said, re.M), f"{line}\n{said}"
    assert "very-secret" not in said
    assert effective(path, variables=variables)["log.level"] == ("debug", "REGISTRY_LOG_LEVEL")


def test_what_is_printed_is_the_same_configuration(tmp_path):
    path = written(tmp_path, {**PLAIN, "notifications": {"endpoints": [{"name": "a", "url": "http://localhost:1/x"}]}})
    again = tmp_path / "again.yml"
    again.write_text(config("print", path, variables={"REGISTRY_CATALOG_MAXENTRIES": "7"}))
    values = {name: value for name, (value, _) in effective(again).items()}
    assert values["catalog.maxentries"] == 7
    assert values == {
        name: value for name, (value, _) in effective(path, variables={"REGISTRY_CATALOG_MAXENTRIES": "7"}).items()
    }


def test_check_lists_warnings_and_problems(tmp_path):
    path = written(
        tmp_path,
        "version: 0.1\nstorage: {inmemory: {}}\nredis: {addr: 'localhost:6379'}\nhttp: {adr: x}\nlog: {level: loud}\n",
    )
    with pytest.raises(Failed) as failed:
        config("check", path)
    said = failed.value.output
    assert failed.value.code == 1
    assert f"warning: {path}:3: redis: not used" in said
    assert f"wrong: {path}:4: http.adr: unknown key; did you mean addr?" in said
    assert f'wrong: {path}:5: log.level: "loud" is none of' in said


def test_the_file_of_debians_package(tmp_path):
    """It names a folder as its password file, which no password can be read from; with a file it is good."""
    packaged = "/etc/docker/registry/config.yml"
    with pytest.raises(Failed) as failed:
        config("check", packaged)
    assert "auth.htpasswd.path: /etc/docker/registry: a folder, not a file" in failed.value.output
    passwords = tmp_path / "htpasswd"
    passwords.touch()
    variables = {"REGISTRY_AUTH_HTPASSWD_PATH": str(passwords)}
    assert "warning" not in config("check", packaged, variables=variables)
    values = effective(packaged, variables=variables)
    assert values["storage.filesystem.rootdirectory"][0] == "/var/lib/docker-registry"
    assert values["health.storagedriver.enabled"][0] is True


ENDPOINT = {"name": "one", "url": "http://127.0.0.1:1/", "disabled": True}
FILE = {
    **PLAIN,
    "log": {"fields": {"service": "file", "zone": "file"}},
    "notifications": {"endpoints": [ENDPOINT]},
}
BOTH = (Registry2, Distribution3)
# What is set, and by whom it is understood: 2.8 takes no notice of a list's numbers.
VARIABLES = [
    ({"REGISTRY_LOG_FIELDS_SERVICE": "registry"}, BOTH),
    ({"REGISTRY_LOG_FIELDS": "{service: whole}"}, BOTH),
    ({"REGISTRY_LOG_FIELDS": "{service: whole, other: whole}", "REGISTRY_LOG_FIELDS_OTHER": "one"}, BOTH),
    ({"REGISTRY_LOG": "{level: info}"}, BOTH),
    ({"REGISTRY_LOG_FIELDS_NEW": "word"}, BOTH),
    ({"REGISTRY_NOTIFICATIONS_ENDPOINTS": "[{name: x, url: 'http://y', disabled: true}]"}, BOTH),
    ({"REGISTRY_NOTIFICATIONS_ENDPOINTS": "- {name: x, url: 'http://y', disabled: true}\n"}, BOTH),
    ({"REGISTRY_NOTIFICATIONS": "{endpoints: [{name: x, url: 'http://y', disabled: true}]}"}, BOTH),
    ({"REGISTRY_NOTIFICATIONS_ENDPOINTS_0_NAME": "zero"}, (Distribution3,)),
    (
        {
            "REGISTRY_NOTIFICATIONS_ENDPOINTS_1_DISABLED": "true",
            "REGISTRY_NOTIFICATIONS_ENDPOINTS_1_NAME": "two",
            "REGISTRY_NOTIFICATIONS_ENDPOINTS_1_URL": "http://y",
        },
        (Distribution3,),
    ),
    ({"REGISTRY_NOTIFICATIONS_ENDPOINTS_2_NAME": "past the end"}, (Distribution3,)),
    ({"REGISTRY_STORAGE": "inmemory"}, BOTH),
    ({"REGISTRY_HTTP_UNKNOWN": "x", "REGISTRY_PORT": "tcp://10.0.0.1:5000"}, BOTH),
    ({"REGISTRY_HTTP": "{addr: '127.0.0.1:0', net: tcp}"}, BOTH),
    ({"REGISTRY_VERSION": "0.1"}, BOTH),
    ({"REGISTRY_LOG_LEVEL": "loud"}, BOTH),
    ({"REGISTRY_LOG_FIELDS": "[a"}, BOTH),
]


def of_the_original(original, path, variables):
    """What its start shows: the fields of its log lines, and its endpoints; None: it refuses."""
    process = subprocess.Popen(
        [original.PROGRAM, "serve", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(variables),
        text=True,
    )
    endpoints = []
    try:
        for line in process.stdout:
            if skipped := re.search(r'msg="endpoint (\S+) disabled', line):
                endpoints.append(skipped[1])
            if "listening on" in line:
                fields = dict(re.findall(r"\b(service|zone|other|new)=(\w+)", line))
                return {"fields": fields, "endpoints": endpoints}
        return None
    finally:
        process.kill()
        process.communicate()


def of_berth(path, variables):
    try:
        values = effective(path, variables=variables)
    except Failed:
        return None
    fields = {name.removeprefix("log.fields."): value for name, (value, _) in values.items() if "log.fields." in name}
    is_name = re.compile(r"notifications\.endpoints\[\d+\]\.name").fullmatch
    return {"fields": fields, "endpoints": [value for name, (value, _) in values.items() if is_name(name)]}


@pytest.mark.parametrize(("variables", "originals"), VARIABLES)
def test_variables_mean_what_they_mean_to_the_original(tmp_path, variables, originals):
    path = written(tmp_path, FILE)
    for original in originals:
        assert of_the_original(original, path, {}), "the file alone is good"
        assert of_the_original(original, path, variables) == of_berth(path, variables), original.__name__
