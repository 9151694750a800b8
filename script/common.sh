# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# What the scripts beside this file share. Sourced by them, never run.

set -euo pipefail
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
jobs=$(nproc)

fail() {
  printf '%s: %s\n' "script/$(basename "$0")" "$1" >&2
  exit "${2:-1}"
}

# The comment at the top of a script is its help.
show_help() {
  sed -e '1d' -e '/^[^#]/,$d' -e '/^$/,$d' -e 's/^# \{0,1\}//' "$0"
}

unknown_argument() {
  fail "unknown argument '$1' (see script/$(basename "$0") --help)" 2
}

# Runs a command whose output matters only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then cat "$log" >&2; fi
  rm -f "$log"
  return "$status"
}
