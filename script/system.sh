# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh sets source_root
# Bare Debian systems in folders, below build/systems/SUITE, and how to run something in one. Sourced by script/test-on
# and script/guest, after common.sh; works as root only.
#
# What runs in a system has its own pid, mount, ipc and uts namespaces and a pivoted root: it sees no other process, and
# the kernel ends its processes and its mounts with its first process. The network is the machine's.

readonly suites='bookworm trixie' # Debian 12, Debian 13
readonly system_source=/usr/src/pushrod

check_suite() {
  [[ " $suites " == *" $1 "* ]] || fail "unknown suite '$1': it is one of ${suites// /, }" 2
}

system_root() { echo "$source_root/build/systems/$1/root"; }

# The release of Debian that this machine is; empty when it is something else.
suite_here() {
  local name
  name=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [[ " $suites " == *" $name "* ]]; then echo "$name"; fi
}

# mirror NAME DEFAULT: where this machine's apt finds the archive "debian" or "debian-security".
mirror() {
  local found
  found=$(grep -hoE "https?://[^ ]+/$1/?( |$)" /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1) || true
  found=${found%% *}
  echo "${found:-$2}"
}

# Only one at a time uses a system; held until this script and everything in the system have ended.
lock_system() {
  mkdir -p "$source_root/build/systems/$1"
  exec 8>"$source_root/build/systems/$1/lock"
  flock --nonblock 8 || fail "another script uses the $1 system (build/systems/$1)"
}

# debootstrap_into ROOT SUITE [debootstrap's options]
debootstrap_into() {
  local root=$1 suite=$2 debian
  shift 2
  debian=$(mirror debian http://deb.debian.org/debian)
  rm -rf "$root"
  mkdir -p "$root"
  # In namespaces of its own: a debootstrap that is killed leaves mounts and processes behind.
  quietly unshare --mount --pid --fork --kill-child=KILL --mount-proc --propagation private \
    debootstrap --variant=minbase "$@" "$suite" "$root" "$debian" || {
    tail -n 20 "$root/debootstrap/debootstrap.log" >&2 || true
    fail "debootstrap could not make a $suite system"
  }
}

# Makes the system if it is not there: minbase, apt's sources, and nothing else.
make_system() {
  local suite=$1 root
  root=$(system_root "$suite")
  if [ -e "$root.made" ]; then return; fi
  echo "Making a bare $suite system in ${root#"$source_root/"}."
  debootstrap_into "$root" "$suite" --include=ca-certificates
  local debian security
  debian=$(mirror debian http://deb.debian.org/debian)
  security=$(mirror debian-security http://deb.debian.org/debian-security)
  cat >"$root/etc/apt/sources.list" <<END
deb $debian $suite main
deb $debian $suite-updates main
deb $security $suite-security main
END
  # Proxies and whatever else this machine's apt needs to fetch something.
  apt-config dump Acquire | grep -E '^Acquire::(https?|ftp)' >"$root/etc/apt/apt.conf.d/90host" || true
  echo "$suite" >"$root/etc/hostname"
  echo "127.0.0.1 localhost $suite" >"$root/etc/hosts"
  touch "$root.made"
}

# The commit that is checked out here, as a clean clone in the system. Build results of earlier runs stay.
copy_source() {
  local root clone
  root=$(system_root "$1")
  clone=$root$system_source
  local git=(git -c safe.directory='*' -c advice.detachedHead=false)
  "${git[@]}" -C "$source_root" rev-parse --quiet --verify HEAD >/dev/null || fail "this is no git checkout"
  if [ -n "$("${git[@]}" -C "$source_root" status --porcelain)" ]; then
    echo "Note: changes that are not committed are not part of the clone."
  fi
  if ! [ -e "$clone/.git" ]; then
    mkdir -p "$clone"
    quietly "${git[@]}" init "$clone"
  fi
  quietly "${git[@]}" -C "$clone" fetch --no-tags "$source_root" HEAD
  quietly "${git[@]}" -C "$clone" checkout --force --detach FETCH_HEAD
  quietly "${git[@]}" -C "$clone" clean -ffdx -e /build
  chmod -R u=rwX,go=rX "$clone/.git" "$clone/script"
}

system_pid=''

# The first process of the system: mounts what a system has, makes the folder the root, and runs the rest.
# shellcheck disable=SC2016 # for the inner shell
readonly enter_system='
  set -e
  root=$1
  shift
  mount --bind "$root" "$root"
  mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount -t tmpfs -o nosuid,mode=0755 dev "$root/dev"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
  mount -t devpts -o newinstance,nosuid,noexec,gid=5,mode=0620,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"
  mount -t tmpfs -o nosuid,nodev,mode=1777 shm "$root/dev/shm"
  mount -t tmpfs -o nosuid,nodev,mode=0755 run "$root/run"
  mkdir -m 1777 "$root/run/lock"
  find "$root/tmp" -mindepth 1 -delete
  hostname "$(cat "$root/etc/hostname")"
  cd "$root"
  mkdir -p .host
  pivot_root . .host
  umount -l .host
  rmdir .host
  cd /
  status=0
  "$@" || status=$?
  exit "$status"
'

# in_system SUITE COMMAND…: runs the command as root of the system and returns its exit code. When this script gets a
# signal meanwhile, the system ends at once, with everything in it.
in_system() {
  local root status=0 variable environment=()
  root=$(system_root "$1")
  shift
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  for variable in http_proxy https_proxy no_proxy; do
    if [ -n "${!variable:-}" ]; then environment+=("$variable=${!variable}"); fi
  done
  trap 'end_system; exit 130' INT
  trap 'end_system; exit 143' TERM
  trap 'end_system; exit 129' HUP
  # In the background, so that this shell takes signals meanwhile; a shell without job control makes such a command
  # ignore SIGINT, which the tests use.
  env -i --default-signal=INT,QUIT HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${environment[@]}" \
    unshare --mount --pid --ipc --uts --fork --kill-child=KILL --propagation private \
    /bin/bash -c "$enter_system" enter "$root" "$@" </dev/null &
  system_pid=$!
  wait "$system_pid" || status=$?
  system_pid=''
  trap - INT TERM HUP
  return "$status"
}

# Kills what runs in the system, and returns when all of it has ended.
end_system() {
  if [ -z "$system_pid" ]; then return; fi
  local namespace process first
  first=$(cat "/proc/$system_pid/task/$system_pid/children" 2>/dev/null) || true
  namespace=$(readlink "/proc/${first%% *}/ns/pid" 2>/dev/null) || true
  kill -KILL "$system_pid" 2>/dev/null || true # --kill-child: and then the kernel kills the system
  wait "$system_pid" 2>/dev/null || true
  system_pid=''
  if [ -z "$namespace" ]; then return; fi
  for process in /proc/[0-9]*/ns/pid; do
    while [ "$(readlink "$process" 2>/dev/null)" = "$namespace" ]; do sleep 0.05; done
  done
}
