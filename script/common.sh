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

# Sets as_user to what runs a command as an ordinary user, as Pushrod is meant to run. Started by root, that is "deploy",
# who is made if missing.
become_ordinary_user() {
  local user=deploy user_home
  as_user=(env)
  if [ "$(id -u)" != 0 ]; then return; fi
  id "$user" >/dev/null 2>&1 || quietly useradd --create-home --shell /bin/bash --password '*' "$user"
  user_home=$(getent passwd "$user" | cut -d: -f6)
  as_user=(setpriv "--reuid=$user" "--regid=$user" --init-groups --inh-caps=-all env -i "USER=$user" "LOGNAME=$user"
    "HOME=$user_home" SHELL=/bin/bash)
  # sshd gives its terminals to the group tty and, unprivileged, can do so only where they belong to it from birth:
  # where /dev/pts is mounted otherwise than Debian does it, the tests see one of their own.
  if ! grep -qE '^[^ ]+ /dev/pts devpts [^ ]*gid=' /proc/mounts; then
    # shellcheck disable=SC2016 # "$@" is for the inner shell
    as_user=(unshare --mount --propagation private sh -c 'mount -t devpts -o gid=tty,mode=620,ptmxmode=666 devpts /dev/pts &&
      mount --bind /dev/pts/ptmx /dev/ptmx && exec "$@"' sh "${as_user[@]}")
  fi
}

# Makes a directory for tests, sets work to it, and as_user to what runs a command there; copies the programs of a build
# and these files and directories of the source into it. Short, because the paths of sockets must be.
make_work() {
  local build=$1
  shift
  work=$(mktemp -d /tmp/pushrod-test.XXXXXX)
  mkdir "$work/bin" "$work/tests" "$work/tmp" "$work/unit"
  cp "$build/pushrod" "$build/pushrod-shim" "$work/bin/"
  local name
  for name; do
    if [ -e "$source_root/$name" ]; then cp -R "$source_root/$name" "$work/$name"; fi
  done
  chmod -R a+rX "$work"
  if [ "$(id -u)" = 0 ]; then chown -R deploy: "$work"; fi
  as_user+=(LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "TMPDIR=$work/tmp" "PUSHROD_BIN=$work/bin/pushrod"
    PYTHONDONTWRITEBYTECODE=1)
}

remove_work() {
  chmod -R u+rwX "$work" 2>/dev/null || true
  rm -rf "$work"
}
