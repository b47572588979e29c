"""The Debian package: what is in it, and installed on a machine where systemd runs (tests/e2e/machine)."""

import contextlib
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from server import BINARY, ROOT, Server, run

UNIT = ROOT / "packaging/systemd/berth.service"
EXPOSURE_MAX = 2.0


# The time of the commit, which may go on while the tests run.
COMMIT = {"SOURCE_DATE_EPOCH": "1800000000"}


def make_package(folder, environment=None, umask=-1):
    environment = {**os.environ, **COMMIT, **(environment or {})}
    run([ROOT / "scripts/package", "--build", BINARY.parent, "--output", folder], env=environment, umask=umask)
    (package,) = folder.glob("berth_*.deb")
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run(["dpkg-deb", "--extract", package, folder])
    return folder


@pytest.fixture
def machine(package, tmp_path):
    """Runs a script on a machine of its own, with the package in /mnt; returns what the script wrote."""

    def run_script(script):
        (tmp_path / "berth.deb").write_bytes(package.read_bytes())
        failed = "trap 'journalctl --sync; journalctl --no-pager --lines 20 --unit berth --output cat' ERR\n"
        (tmp_path / "script").write_text(failed + script + "\necho the script has ended\n")
        with contextlib.suppress(subprocess.CalledProcessError):  # the end of its first process ends it
            subprocess.run(
                [ROOT / "tests/e2e/machine", tmp_path], stdin=subprocess.DEVNULL, timeout=120, check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        output = tmp_path / "output"
        text = output.read_text(errors="replace") if output.exists() else "the machine did not run"
        assert "\nthe script has ended\n" in text, text
        return text

    return run_script


def test_lintian_is_content(package):
    words = run(["lintian", "--fail-on", "error,warning", package])
    assert not re.search("^[EW]:", words, re.M), words


def test_packing_again_gives_the_same_bytes(package, tmp_path):
    again = make_package(tmp_path, {"TZ": "Asia/Tokyo", "LC_ALL": "C"}, umask=0o077)
    assert again.read_bytes() == package.read_bytes()


def test_depends_on_the_libraries_it_uses(package):
    depends = run(["dpkg-deb", "--field", package, "Depends"])
    for library in ("libc6", "libssl3", "libsqlite3-0", "adduser"):
        assert library in depends
    assert "libicu" not in depends


def test_every_command_has_a_page(unpacked):
    pages = {path.name for path in (unpacked / "usr/share/man/man1").iterdir()}
    shown = run([BINARY, "--help"]).partition("Subcommands:\n")[2].partition("\n\n")[0]
    commands = re.findall(r"^  (\S+)", shown, re.M)
    assert "serve" in commands
    assert pages == {"berth.1.gz", *(f"berth-{command}.1.gz" for command in commands)}


def test_the_pages_are_good_and_name_every_option(unpacked):
    for page in (unpacked / "usr/share/man").glob("man*/*.gz"):
        words = run(["man", "--warnings", "-l", page], env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
        assert "troff" not in words, words
        if page.name == "berth-policy.1.gz":
            assert "berth policy explain [OPTIONS] USER ACTION" in words
            assert "--claim VALUE" in words
    keys = run(["man", "-l", unpacked / "usr/share/man/man5/berth-config.yml.5.gz"])
    assert "storage.filesystem.rootdirectory" in keys


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("berth se", {"serve"}),
        ("berth policy e", {"explain"}),
        ("berth policy explain --cl", {"--claim"}),
        ("berth config check --conf", {"--config"}),
        ("berth --ver", {"--version"}),
    ],
)
def test_the_shells_complete_commands_and_options(unpacked, line, offered):
    share = unpacked / "usr/share"
    words = line.split()
    bash = f"""source {share}/bash-completion/completions/berth
        COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _berth; printf '%s\\n' "${{COMPREPLY[@]}}" """
    assert set(run(["bash", "-c", bash]).split()) == offered
    fish = f"source {share}/fish/vendor_completions.d/berth.fish; complete --do-complete '{line}'"
    assert {found.split("\t")[0] for found in run(["fish", "--no-config", "-c", fish]).splitlines()} == offered
    # zsh has no way to ask: _describe is replaced by one that prints what it is given.
    zsh = f"""function _describe {{ shift; [[ $1 == option ]] && shift; print -l -- ${{(P)1}} }}
        function compdef {{ }}; source {share}/zsh/vendor-completions/_berth
        words=({line}); CURRENT={len(words)}; PREFIX='{words[-1]}'; _berth"""
    found = {text.split(":")[0] for text in run(["zsh", "-f", "-c", zsh]).splitlines()}
    assert offered <= found


def test_the_unit_is_locked_down():
    words = run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT])
    exposure = float(re.search(r"exposure level for berth.service: ([\d.]+)", words).group(1))
    assert exposure <= EXPOSURE_MAX, words


@pytest.mark.parametrize("abstract", [False, True])
def test_tells_systemd_when_it_serves_reloads_and_ends(tmp_path, abstract):
    """The unit's ExecStart with a socket handed over, as systemd does it, and $NOTIFY_SOCKET to speak to."""
    name = f"@berth-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    server = Server(tmp_path / "server")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, socket.socket() as listening:
        systemd.bind(name.replace("@", "\0"))
        systemd.settimeout(30)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server.port = listening.getsockname()[1]
        # The shell becomes Berth, so that $LISTEN_PID is right, with the socket as descriptor 3.
        handed = f'exec 3<&{listening.fileno()}; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"'
        server.command = lambda: ["bash", "-c", handed, "bash", str(BINARY), "serve", str(server.config_path)]
        server.environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"}
        process = server.spawn(pass_fds=[listening.fileno()])

        def said(wanted):
            while not (message := systemd.recv(4096).decode()).startswith(wanted):
                assert message == "WATCHDOG=1"
            return message

        assert f"STATUS=listening on http://127.0.0.1:{server.port}" in said("READY=1")
        server.wait_ready()
        said("WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        said("RELOADING=1\nMONOTONIC_USEC=")
        said("READY=1")
        process.send_signal(signal.SIGTERM)
        said("STOPPING=1")
        server.stop()


def test_is_installed_run_upgraded_and_removed(machine):
    output = machine("""
        dpkg -i /mnt/berth.deb
        systemctl is-active berth
        systemctl is-enabled berth
        systemd-analyze verify /lib/systemd/system/berth.service /lib/systemd/system/berth.socket
        systemctl show berth -p StatusText
        curl --fail --silent --show-error --include http://127.0.0.1:5000/v2/
        stat --format '%U %a %n' /var/lib/berth /etc/berth

        printf 'secret\\n' | berth user add alice --file /etc/berth/htpasswd
        sed -i 's|^# auth:|auth: {htpasswd: {realm: R, path: /etc/berth/htpasswd}}|' /etc/berth/config.yml
        setpriv --reuid berth --regid berth --clear-groups cat /etc/berth/htpasswd
        systemctl restart berth
        curl --silent -o /dev/null --write-out 'nobody %{http_code}\\n' http://127.0.0.1:5000/v2/
        curl --silent -o /dev/null --write-out 'alice %{http_code}\\n' --user alice:secret http://127.0.0.1:5000/v2/
        systemctl reload berth

        dpkg -i /mnt/berth.deb
        systemctl is-active berth
        grep ^auth: /etc/berth/config.yml

        systemctl kill --signal KILL --kill-whom main berth
        curl --silent --retry 20 --retry-all-errors --retry-delay 1 -o /dev/null http://127.0.0.1:5000/v2/
        systemctl show berth -p NRestarts

        systemctl stop berth
        systemctl show berth -p Result -p ExecMainStatus
        systemctl start berth
        dpkg --remove berth
        ! systemctl is-active berth
        dpkg --purge berth
        ls /etc/berth /var/lib/berth
    """)
    for line in (
        "active",
        "enabled",
        "StatusText=listening on http://127.0.0.1:5000",
        "berth 750 /var/lib/berth",
        "root 750 /etc/berth",
        "nobody 401",
        "alice 200",
        "NRestarts=1",
        "Result=success",
        "ExecMainStatus=0",
        "berth: the images stay in /var/lib/berth",
    ):
        assert f"\n{line}\n" in output, (line, output)
    assert "HTTP/1.1 200 OK" in output
    assert "auth: {htpasswd:" in output


def test_systemd_may_listen(machine):
    output = machine("""
        dpkg -i /mnt/berth.deb
        systemctl stop berth
        systemctl enable --now berth.socket
        ! systemctl is-active berth
        curl --fail --silent --show-error http://127.0.0.1:5000/v2/
        systemctl is-active berth
        systemctl restart berth
        curl --fail --silent --show-error http://127.0.0.1:5000/v2/
    """)
    assert "{}" in output


def test_leaves_another_registrys_port_alone_and_takes_over_its_data(machine):
    """Beside Debian's docker-registry nothing is started; then its data is served with the drop-in of the manual."""
    output = machine("""
        config=/etc/docker/registry/config.yml
        sed -i '/^auth:/,/path:/d' $config
        systemctl start docker-registry
        push() { curl --retry 20 --retry-connrefused --silent --include "http://127.0.0.1:5000$1"; }
        digest=sha256:$(printf blob | sha256sum | cut -d' ' -f1)
        place=$(push /v2/ >/dev/null; curl --silent --include -X POST http://127.0.0.1:5000/v2/old/app/blobs/uploads/ |
            tr -d '\\r' | sed -n 's/^Location: //p')
        curl --silent --include -X PUT -H 'Content-Type: application/octet-stream' --data-binary blob \\
            "$place&digest=$digest"

        dpkg -i /mnt/berth.deb
        ! systemctl is-active berth
        ! systemctl is-enabled berth

        systemctl disable --now docker-registry
        sed -i 's|/var/lib/berth|/var/lib/docker-registry|' /etc/berth/config.yml
        mkdir -p /etc/systemd/system/berth.service.d
        cp /usr/share/doc/berth/examples/after-docker-registry.conf /etc/systemd/system/berth.service.d/
        systemctl daemon-reload
        systemctl enable --now berth
        systemctl show berth -p User
        curl --fail --silent "http://127.0.0.1:5000/v2/"
        curl --silent --write-out ' is served\\n' "http://127.0.0.1:5000/v2/old/app/blobs/$digest" || true

        systemctl stop berth
        chown -R root:root /var/lib/docker-registry
        rm /etc/systemd/system/berth.service.d/*
        cp /usr/share/doc/berth/examples/after-container.conf /etc/systemd/system/berth.service.d/
        systemctl daemon-reload
        systemctl start berth
        systemctl show berth -p User
        curl --fail --silent "http://127.0.0.1:5000/v2/"
        find /var/lib/docker-registry/berth ! -user root
    """)
    assert "berth.service is neither started nor enabled" in output
    assert "\nUser=docker-registry\n" in output
    assert "\nUser=root\n" in output
    assert "blob is served" in output
