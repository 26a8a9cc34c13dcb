#!/bin/sh
# Makes secrets/ for docker-compose.yml: passwords at random, tokens as you type them. What is there already stays.
set -eu
cd "${1:-$(dirname "$0")/../..}"
umask 077
mkdir -p secrets

# keep NAME: standard input becomes secrets/NAME.txt. The folder is closed to others; the file is readable by all
# because the daemon in the container is another user than you.
keep() { cat >"secrets/$1.new" && chmod 444 "secrets/$1.new" && mv "secrets/$1.new" "secrets/$1.txt"; }
missing() { [ ! -s "secrets/$1.txt" ]; }
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
ask() {
    printf '%s: ' "$2" >&2
    if [ -t 0 ]; then stty -echo; fi
    IFS= read -r answer || answer=
    if [ -t 0 ]; then stty echo; echo >&2; fi
    [ -n "$answer" ] || { echo "$1 is still missing: write it to secrets/$1.txt" >&2; return; }
    printf '%s' "$answer" | keep "$1"
}

if missing postgres_password; then random | keep postgres_password; fi
if missing database_url; then
    printf 'postgresql://marquee:%s@postgres/marquee' "$(cat secrets/postgres_password.txt)" | keep database_url
fi
if missing grafana_password; then random | keep grafana_password; fi
if missing discord_token; then ask discord_token "Token of the Discord bot"; fi
if missing plex_token; then ask plex_token "X-Plex-Token of the Plex server's owner"; fi
