#!/usr/bin/env bash
# fetch-sources.sh - brings Debian source packages (its arguments), unpacked, into third-party/debian/PACKAGE (git-ignored). Uses a private copy of the
# package lists with deb-src added, so that neither the machine's sources nor root are touched. Needs apt-get and dpkg-source (package dpkg-dev).
set -euo pipefail
cd "$(dirname "$0")/.."
base=$PWD/third-party/debian
command -v apt-get >/dev/null || { echo "fetch-sources.sh: needs apt-get (Debian)" >&2; exit 1; }
command -v dpkg-source >/dev/null || { echo "fetch-sources.sh: needs dpkg-source: apt-get install dpkg-dev" >&2; exit 1; }
mkdir -p "$base/apt/lists/partial" "$base/apt/cache/archives/partial"

# The machine's own Debian mirrors, as deb-src lines.
write_sources() {
    local release
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 2>/dev/null | sort -u |
        awk -v r="$release" '$2 == r || $2 == r "-security" || $2 == r "-updates" { print "deb-src", $1, $2, "main" }'
}

apt() {
    command=$1
    shift
    apt-get -q -o Dir::Etc::sourcelist="$base/apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$base/apt/lists" \
        -o Dir::Cache="$base/apt/cache" -o APT::Sandbox::User="$(id -un)" "$command" "$@"
}

for package in "$@"; do
    [ ! -e "$base/$package/debian/control" ] || continue
    if [ ! -s "$base/apt/sources.list" ]; then
        write_sources >"$base/apt/sources.list"
        apt update >"$base/apt/update.log" 2>&1 || { cat "$base/apt/update.log" >&2; exit 1; }
    fi
    echo "fetching Debian's source of $package"
    rm -rf "$base/$package" "$base/fetch"
    mkdir -p "$base/fetch"
    (cd "$base/fetch" && apt source "$package" >"$base/apt/$package.log" 2>&1) || { cat "$base/apt/$package.log" >&2; exit 1; }
    mv "$(find "$base/fetch" -mindepth 1 -maxdepth 1 -type d)" "$base/$package"
done
rm -rf "$base/fetch"
