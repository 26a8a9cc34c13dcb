#!/bin/sh
# Judges every file that runs the daemon somewhere. Usage: deploy/lint.sh [FOLDER]; the tools are those of $VENV.
# What is not installed is left out with a word; where CI is set, that is a failure.
set -eu
bin=$(cd "${VENV:-.venv}/bin" && pwd)
cd "${1:-.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# judge NAME COMMAND...: silent when the command is content.
judge() {
    name=$1
    shift
    if "$@" >"$work/said" 2>&1; then echo "$name: fine"; else echo "$name: WRONG"; cat "$work/said"; failed=1; fi
}
# systemd-analyze says what it ignores and is content all the same; of other units on this machine it may say anything.
verify_unit() { ! { systemd-analyze verify --man=no "$1" 2>&1 || echo "$1 is refused"; } | grep -F "${1##*/}"; }
absent() {
    echo "$1: not looked at, $2 is not installed"
    [ -z "${CI:-}" ] || failed=1
}

judge "Dockerfile" "$bin/hadolint" Dockerfile

for file in docker-compose.yml deploy/compose/*.yml; do
    sed 's/!override //' "$file" >"$work/compose.yml" # a tag of compose's, which the schema does not know
    judge "$file" "$bin/check-jsonschema" --builtin-schema vendor.compose-spec "$work/compose.yml"
done
# The schema does not see a service or secret that is named but not there. Compose does; Debian 12 has none that is new
# enough, and tests/architecture/test_deploy.py looks at the same, so nobody must have it.
if docker compose version >/dev/null 2>&1; then
    judge "docker compose" docker compose --profile '*' config --quiet
    judge "docker compose, SQLite" docker compose -f docker-compose.yml -f deploy/compose/sqlite.yml config --quiet
fi

for file in deploy/kubernetes/*.yaml; do
    case $file in */kustomization.yaml) continue ;; esac # not a resource: kubectl judges it, and what it is made of
    judge "$file" "$bin/kubernetes-validate" --strict --quiet "$file"
done
if command -v kubectl >/dev/null; then judge "kustomization" kubectl kustomize deploy/kubernetes; fi

unit=deploy/systemd/marquee.service
if command -v systemd-analyze >/dev/null; then
    mkdir "$work/unit" # the daemon is not installed where this runs
    sed 's#^ExecStart=/opt/marquee/.venv/bin/marquee run$#ExecStart=/bin/true#' $unit >"$work/unit/marquee.service"
    judge "$unit" verify_unit "$work/unit/marquee.service"
    judge "$unit, exposure" systemd-analyze security --no-pager --offline=true --threshold=15 "$work/unit/marquee.service"
else
    absent "$unit" systemd-analyze
fi
exit $failed
