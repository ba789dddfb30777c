#!/bin/sh
# Installs clown @VERSION@ or newer for one user, and removes it again. No root is needed.
#
#   sh install.sh                      install or renew, below ~/.local (as root: /usr/local)
#   sh install.sh --prefix DIR         install below DIR
#   sh install.sh --uninstall          remove what an installation wrote
#   sh install.sh --help               all options
#
# What is downloaded is installed only when its SHA-256 is the one of the release's list, and the list is signed with a key below.
# Everything stands in functions, so that a script that came only in part does nothing.
set -eu
LC_ALL=C
export LC_ALL

# Where the newest release is, and the public keys (minisign) whose signature counts.
BASE_URL='@BASE_URL@'
KEYS='@KEYS@'

usage() {
    cat <<'END'
Usage: sh install.sh [--prefix DIR] [--url URL] [--require-signature]
       sh install.sh --uninstall [--prefix DIR]

Installs clown, its manual pages and its shell completions. Needs no root.

  --prefix DIR           directory that gets bin/ and share/ (default: ~/.local; as root: /usr/local)
  --url URL              where the release is; also CLOWN_RELEASE_URL
  --require-signature    stop when no tool is here to check the signature (minisign, or OpenSSL 3)
  --uninstall            remove what an installation wrote; settings and profiles stay
  --help                 show this help
END
}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$1" >&2
    if [ $# -gt 1 ]; then printf 'hint: %s\n' "$2" >&2; fi
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

target() {
    system=$(uname -s)
    machine=$(uname -m)
    case $machine in
        x86_64 | amd64) machine=x86_64 ;;
        aarch64 | arm64) machine=aarch64 ;;
    esac
    case $system in
        Linux) say "$machine-unknown-linux-musl" ;;
        Darwin) say "$machine-apple-darwin" ;;
        *) fail "this installer is for Linux and macOS, not $system" "for Windows take the .zip of the release" ;;
    esac
}

# An address may be plain http only on this machine.
check_url() {
    case $1 in
        *@*) fail "$1 names a user, which the address of a release does not" "leave out what is before the @" ;;
        '' | *[[:space:]\'\"\\]*) fail "no address of a release is known" "say where it is: --url URL, or CLOWN_RELEASE_URL" ;;
        https://*) ;;
        http://127.0.0.1[:/]* | http://localhost[:/]* | 'http://[::1]'[:/]*) ;;
        *) fail "$1 is not encrypted" "use https; http is for this machine only" ;;
    esac
}

# get NAME: a file of the release, into the temporary directory.
get() {
    from="$url/$1"
    to="$tmp/$1"
    case $url in https:*) only='=https' ;; *) only='=http,https' ;; esac
    if have curl; then
        curl -fsSL --proto "$only" --connect-timeout 15 --retry 2 -o "$to" "$from" 2>"$tmp/said" && return 0
    elif have wget; then
        wget -q -T 30 -t 2 -O "$to" "$from" 2>"$tmp/said" && return 0
    elif [ -x /usr/lib/apt/apt-helper ]; then
        # A bare Debian has neither of the others.
        /usr/lib/apt/apt-helper -qq download-file "$from" "$to" >"$tmp/said" 2>&1 && return 0
    else
        fail "nothing here can download: neither curl nor wget" "install one of them and run this again"
    fi
    said=$(tr '\n' ' ' <"$tmp/said" | cut -c 1-200)
    fail "$from cannot be fetched${said:+: $said}" "check the address and the network; nothing was changed"
}

sha256() {
    if have sha256sum; then
        sha256sum <"$1" | cut -d ' ' -f 1
    elif have shasum; then
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    elif have openssl; then
        openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
    else
        fail "nothing here can compute a SHA-256" "install coreutils (sha256sum) and run this again"
    fi
}

openssl_can() {
    have openssl && openssl pkeyutl -help 2>&1 | grep -q -e '-rawin' && printf x | openssl dgst -blake2b512 >/dev/null 2>&1
}

# signed_by KEY: whether $tmp/block is a signature of $tmp/SHA256SUMS by this key.
signed_by() {
    if have minisign; then
        minisign -V -q -P "$1" -m "$tmp/SHA256SUMS" -x "$tmp/block" >/dev/null 2>&1
        return
    fi
    # What minisign does: Ed25519 over the BLAKE2b of the file. A key is 2 bytes of kind, 8 of number, 32 of key; a signature has 64.
    sed -n 2p "$tmp/block" | openssl base64 -d -A >"$tmp/raw" 2>/dev/null || return 1
    [ "$(head -c 2 "$tmp/raw")" = ED ] || return 1
    tail -c 64 "$tmp/raw" >"$tmp/signature"
    {
        printf '\060\052\060\005\006\003\053\145\160\003\041\000'
        printf %s "$1" | openssl base64 -d -A | tail -c 32
    } >"$tmp/key.der"
    openssl dgst -blake2b512 -binary <"$tmp/SHA256SUMS" >"$tmp/hash"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$tmp/key.der" -rawin -in "$tmp/hash" -sigfile "$tmp/signature" >/dev/null 2>&1
}

check_signature() {
    get SHA256SUMS.minisig
    if ! have minisign && ! openssl_can; then
        if [ "$strict" = yes ]; then
            fail "no tool is here to check the signature" "install minisign, or OpenSSL 3, and run this again"
        fi
        warn "the signature was NOT checked: neither minisign nor OpenSSL 3 is here. The checksums are, but whoever changed a file could change them too."
        signature="not checked"
        return 0
    fi
    lines=$(wc -l <"$tmp/SHA256SUMS.minisig")
    at=1
    while [ "$at" -le "$lines" ]; do
        sed -n "$at,$((at + 3))p" "$tmp/SHA256SUMS.minisig" >"$tmp/block"
        for key in $KEYS; do
            if signed_by "$key"; then
                signature="good, by key $key"
                return 0
            fi
        done
        at=$((at + 4))
    done
    fail "SHA256SUMS is not signed by a key of this installer" "do not use this download; get install.sh again from where clown is published"
}

# What an installation may write, below the prefix. Nothing else is ever written or removed.
is_ours() {
    case $1 in
        */../* | ../* | /*) return 1 ;;
        bin/clown | bin/clown.old | share/man/man1/clown.1 | share/man/man1/clown-*.1) ;;
        share/bash-completion/completions/clown | share/zsh/site-functions/_clown | share/fish/vendor_completions.d/clown.fish) ;;
        share/clown/README.md | share/clown/LICENSE-MIT | share/clown/LICENSE-APACHE | share/clown/THIRD-PARTY-LICENSES) ;;
        *) return 1 ;;
    esac
    case ${1#share/man/man1/} in */*) [ "${1#share/man/man1/}" = "$1" ] ;; esac
}

# The place of a file of the archive, below the prefix; nothing for one that is not installed.
place() {
    case $1 in
        clown) say bin/clown ;;
        man/*.1) say "share/man/man1/${1#man/}" ;;
        completions/clown.bash) say share/bash-completion/completions/clown ;;
        completions/clown.zsh) say share/zsh/site-functions/_clown ;;
        completions/clown.fish) say share/fish/vendor_completions.d/clown.fish ;;
        README.md | LICENSE-MIT | LICENSE-APACHE | THIRD-PARTY-LICENSES) say "share/clown/$1" ;;
    esac
}

# make_dirs DIR: makes it below the prefix, and notes what was not there.
make_dirs() {
    parent=$(dirname "$1")
    if [ "$parent" != . ] && [ ! -d "$prefix/$parent" ]; then make_dirs "$parent"; fi
    if [ ! -d "$prefix/$1" ]; then
        mkdir "$prefix/$1" || return 1
        say "$1/" >>"$tmp/made"
    fi
}

install_files() {
    : >"$tmp/made"
    : >"$tmp/wrote"
    if [ ! -d "$prefix" ]; then
        mkdir -p "$prefix" || fail "$prefix cannot be made" "choose another place: --prefix DIR"
        say ./ >>"$tmp/made"
    fi
    # All new files are there before the first old one goes.
    while read -r file; do
        to=$(place "$file")
        [ -n "$to" ] || continue
        is_ours "$to" || fail "the archive has a file of the name $file, which does not belong there"
        mode=644
        if [ "$to" = bin/clown ]; then mode=755; fi
        if ! { make_dirs "$(dirname "$to")" && cp "$tmp/x/$base/$file" "$prefix/$to.clown-new" && chmod "$mode" "$prefix/$to.clown-new"; }; then
            fail "$prefix/$to cannot be written; what was there is unchanged" "choose a place that is yours: --prefix DIR"
        fi
        say "$to" >>"$tmp/wrote"
    done <"$tmp/files"
    # The note comes first, so that whatever happens next can be removed again.
    note="$prefix/share/clown/installed"
    { cat "$note" 2>/dev/null || :; cat "$tmp/made" "$tmp/wrote"; } | sort -u >"$tmp/note"
    if ! { cp "$tmp/note" "$note.clown-new" && mv -f "$note.clown-new" "$note"; }; then
        rm -f "$note.clown-new"
        fail "$note cannot be written; what was there is unchanged"
    fi
    # The program last: until then the former one is there.
    while read -r to; do
        [ "$to" = bin/clown ] || mv -f "$prefix/$to.clown-new" "$prefix/$to"
    done <"$tmp/wrote"
    mv -f "$prefix/bin/clown.clown-new" "$prefix/bin/clown"
}

# What is new and not in its place goes.
take_back() {
    if [ -f "$tmp/files" ]; then
        while read -r file; do
            to=$(place "$file")
            if [ -n "$to" ]; then rm -f "$prefix/$to.clown-new" 2>/dev/null || :; fi
        done <"$tmp/files"
    fi
    if [ -f "$tmp/made" ]; then
        sort -r "$tmp/made" | while read -r dir; do rmdir "$prefix/${dir#./}" 2>/dev/null || :; done
    fi
}

install() {
    url=${url%/}
    check_url "$url"
    target=$(target)
    if [ -e "$prefix/bin/clown" ] && [ ! -e "$prefix/share/clown/installed" ]; then
        case $("$prefix/bin/clown" --version 2>/dev/null || :) in
            'clown '*) ;;
            *) fail "$prefix/bin/clown is there and is not this clown" "move it away, or choose another place: --prefix DIR" ;;
        esac
    fi
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/clown-install.XXXXXX")
    trap 'take_back; rm -rf "$tmp"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    get SHA256SUMS
    signature="none"
    if [ -n "$KEYS" ]; then
        check_signature
    else
        warn "this installer has no key: the list of checksums is not checked by a signature"
    fi
    line=$(grep -E "^[0-9a-f]{64}  clown-[0-9A-Za-z.+-]+-$target\.tar\.gz\$" "$tmp/SHA256SUMS" || :)
    [ -n "$line" ] || fail "the release at $url has no program for $target" "see which there are: $url/SHA256SUMS"
    [ "$(say "$line" | wc -l)" -eq 1 ] || fail "the release at $url has several programs for $target"
    wanted=${line%% *}
    archive=${line##* }
    base=${archive%.tar.gz}
    get "$archive"
    got=$(sha256 "$tmp/$archive")
    if [ "$got" != "$wanted" ]; then
        fail "$archive is not what the release lists: its SHA-256 is $got, not $wanted" "it was damaged or changed on its way; nothing was installed, try again"
    fi
    tar -tzf "$tmp/$archive" >"$tmp/names" || fail "$archive cannot be unpacked" "nothing was installed; try again"
    if grep -v "^$base/" "$tmp/names" | grep -q . || grep -q '\.\./' "$tmp/names"; then
        fail "$archive has files outside of $base, which does not belong there"
    fi
    mkdir "$tmp/x"
    tar -xzf "$tmp/$archive" -C "$tmp/x" || fail "$archive cannot be unpacked" "is there space in ${TMPDIR:-/tmp}?"
    version=$("$tmp/x/$base/clown" --version) || fail "the program of $archive does not run on this system" "nothing was installed; build clown from source, or tell whoever publishes it"
    sed "s|^$base/||" "$tmp/names" | grep -v '/$' | grep . >"$tmp/files"
    install_files
    say "Installed $version as $prefix/bin/clown."
    say "  from        $url/$archive"
    say "  SHA-256     $got"
    say "  signature   $signature"
    say "  also        manual pages, completions for bash, zsh and fish, and licences, below $prefix/share"
    say "  noted in    $prefix/share/clown/installed"
    case ":$PATH:" in
        *":$prefix/bin:"*) ;;
        *) say "$prefix/bin is not on your PATH. Add it: export PATH=\"$prefix/bin:\$PATH\"" ;;
    esac
    say "Begin with: clown init"
    say "Remove it with: sh install.sh --uninstall$( [ "$prefix" = "$default" ] || say " --prefix $prefix")"
}

# What would be of no use without the program: its service, its launchers, its daemon. Only what starts this very program.
before_uninstall() {
    for unit in "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/clown.service" "$HOME/Library/LaunchAgents/clown.daemon.plist"; do
        if grep -qsF "$prefix/bin/clown" "$unit"; then
            "$prefix/bin/clown" service uninstall </dev/null || warn "the service could not be removed: $unit"
        fi
    done
    if [ -e "$config/launchers.json" ]; then
        "$prefix/bin/clown" aliases list </dev/null 2>/dev/null | sed 1d | while read -r line; do
            if grep -qsF "'$prefix/bin/clown'" "${line##*  }"; then
                "$prefix/bin/clown" aliases uninstall -- "${line%% *}" </dev/null || warn "a launcher could not be removed: ${line##*  }"
            fi
        done
    fi
    if [ -e "$config" ]; then
        "$prefix/bin/clown" daemon stop --if-idle >/dev/null 2>&1 </dev/null || warn "the daemon still runs, for it has work; end it with: kill PID (its log: $config/logs/clownd.log)"
    fi
}

uninstall() {
    config=${CLOWN_HOME:-${XDG_CONFIG_HOME:-$HOME/.config}/clown}
    note="$prefix/share/clown/installed"
    [ -f "$note" ] || fail "no installation is noted below $prefix" "name the directory it was installed below: --prefix DIR"
    if [ -x "$prefix/bin/clown" ]; then before_uninstall; fi
    removed=0
    while read -r entry; do
        case $entry in
            */) ;;
            *)
                if ! is_ours "$entry"; then
                    warn "$entry is in $note and is no file of clown's; it stays"
                elif [ -e "$prefix/$entry" ] || [ -L "$prefix/$entry" ]; then
                    rm -f "$prefix/$entry" "$prefix/$entry.clown-new" || fail "$prefix/$entry cannot be removed"
                    removed=$((removed + 1))
                fi
                ;;
        esac
    done <"$note"
    # Kept by `clown self update`.
    rm -f "$prefix/bin/clown.old"
    dirs=$(grep '/$' "$note" | grep -v -e '^/' -e '\.\./' | sort -r || :)
    rm -f "$note"
    rmdir "$prefix/share/clown" 2>/dev/null || :
    for dir in $dirs; do rmdir "$prefix/${dir#./}" 2>/dev/null || :; done
    say "Removed clown from $prefix: $removed files."
    if [ -e "$config" ]; then say "Your settings, keys and records stay in $config."; fi
    for homes in "$HOME"/.*-profiles; do
        if [ -d "$homes" ]; then say "Your profiles' homes stay in $homes."; fi
    done
    for dir in "/tmp/clown-$(id -u)" "${XDG_RUNTIME_DIR:-/run}/clown"; do
        if [ -d "$dir" ]; then say "Temporary files of profiles stay in $dir."; fi
    done
}

main() {
    default=${HOME:-}/.local
    if [ "$(id -u)" = 0 ]; then default=/usr/local; fi
    prefix=$default
    url=${CLOWN_RELEASE_URL:-$BASE_URL}
    strict=no
    what=install
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix | --url)
                if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value" "see: sh install.sh --help"; fi
                if [ "$1" = --prefix ]; then prefix=$2; else url=$2; fi
                shift
                ;;
            --prefix=*) prefix=${1#*=} ;;
            --url=*) url=${1#*=} ;;
            --require-signature) strict=yes ;;
            --uninstall) what=uninstall ;;
            --help | -h) usage && exit 0 ;;
            *) fail "there is no option $1" "see: sh install.sh --help" ;;
        esac
        shift
    done
    [ -n "$prefix" ] && [ "$prefix" != /.local ] || fail "HOME is not set" "say where to: --prefix DIR"
    case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
    $what
}

main "$@"
