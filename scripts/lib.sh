# Shared by the scripts beside it: where the repository is, progress lines, installing Debian packages.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${JOBS:-2}
export PATH="$PATH:/usr/sbin:/sbin"
cd "$root"

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The time of what is packed: that of the commit, so that the same commit gives the same bytes.
commit_time() {
    : "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null)}"
    [ -n "$SOURCE_DATE_EPOCH" ] || die "not in a git repository: set SOURCE_DATE_EPOCH"
    export SOURCE_DATE_EPOCH
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root to install packages: run it as root, or install sudo"
    fi
}

# apt_install PACKAGE...: installs those that are missing. A package that brings a daemon must not start it: the
# tests start their own, on their own ports.
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    command -v apt-get >/dev/null || die "not a Debian system; install by hand: ${missing[*]}"
    say "installing ${missing[*]}"
    local policy=/usr/sbin/policy-rc.d ours=no status=0
    if [ ! -e "$policy" ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    apt_run "${missing[@]}" || status=$?
    [ $ours = no ] || as_root rm -f "$policy"
    [ $status = 0 ] || die "apt could not install: ${missing[*]}"
}

# Package lists may be absent or old: one update and a second try when the first finds nothing.
apt_run() {
    local log install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q
        --no-install-recommends -o DPkg::Lock::Timeout=120 "$@")
    log=$(mktemp)
    if ! as_root "${install[@]}" >"$log" 2>&1; then
        as_root apt-get update -q >>"$log" 2>&1 || true
        as_root "${install[@]}" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; rm -f "$log"; return 1; }
    fi
    rm -f "$log"
}
