# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables that come from, and are for, those who source it
# A Pushrod in a throw-away directory, on free ports of this machine alone, with what a developer has: a key and a clone.
# For the scripts that show Pushrod at work; sourced by them after common.sh, never run. It runs as an ordinary user;
# started by root, that is "deploy", who is made if missing. When the script ends, nothing runs on and the directory is
# gone.

# make_throwaway PROGRAMS EXAMPLE: the directory ($work) with the programs of a build and a copy of the example as
# $clone; the current directory is $work. Sets user, http_port, ssh_port and server.
make_throwaway() {
  user=$(id -un)
  as_user=(setpriv)
  if [ "$(id -u)" = 0 ]; then
    user=deploy
    # Not "!": OpenSSH refuses accounts that are locked.
    id "$user" >/dev/null 2>&1 || quietly useradd --create-home --shell /bin/bash --password '*' "$user"
    as_user=(setpriv "--reuid=$user" "--regid=$user" --init-groups --inh-caps=-all)
  fi
  work=$(mktemp -d /tmp/pushrod-demo.XXXXXX) # short, because the paths of sockets must be
  tree=''                                    # the pid of `pushrod up`
  clone=$work/$(basename "$2")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  mkdir "$work/bin"
  cp "$1/pushrod" "$1/pushrod-shim" "$work/bin/"
  cp -R "$2" "$clone"
  if [ "$(id -u)" = 0 ]; then chown -R "$user:" "$work"; fi
  cd "$work" || fail "cannot enter $work"
  http_port=$(free_port 8080)
  ssh_port=$(free_port 2222)
  server=$user@127.0.0.1
  ssh_command="ssh -p $ssh_port -i $work/key -o UserKnownHostsFile=$work/known_hosts"
  environment=(env -i "HOME=$work" "USER=$user" "LOGNAME=$user" SHELL=/bin/bash LANG=C.UTF-8 "TERM=${TERM:-dumb}"
    "PATH=$work/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" "PUSHROD_ROOT=$work/root"
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 "GIT_SSH_COMMAND=$ssh_command")
}

# start_throwaway: `pushrod up`, whose output is in $work/up.log, and the key $work/key, which Pushrod does not know yet.
start_throwaway() {
  # In a session of its own: Ctrl-C is for the script, which then stops it. If the script is killed, it stops as well.
  "${as_user[@]}" --pdeathsig TERM "${environment[@]}" setsid pushrod up --http "127.0.0.1:$http_port" \
    --ssh "127.0.0.1:$ssh_port" >"$work/up.log" 2>&1 </dev/null &
  tree=$!
  local deadline=$((SECONDS + 20))
  until (: <"/dev/tcp/127.0.0.1/$http_port" && : <"/dev/tcp/127.0.0.1/$ssh_port") 2>/dev/null; do
    if ! kill -0 "$tree" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      cat "$work/up.log" >&2
      fail "Pushrod did not start"
    fi
    sleep 0.05
  done
  do_as_user ssh-keygen -q -t ed25519 -N '' -C ada -f "$work/key"
  printf '[127.0.0.1]:%s %s\n' "$ssh_port" "$(cut -d' ' -f1,2 "$work/root/ssh/host_ed25519_key.pub")" \
    >"$work/known_hosts"
  if [ "$(id -u)" = 0 ]; then chown "$user:" "$work/known_hosts"; fi
}

# make_clone REMOTE APP MESSAGE: $clone becomes a repository with one commit, and a remote for the app.
make_clone() {
  git init --quiet --initial-branch=main
  git config user.name Ada
  git config user.email ada@example.com
  git config core.sshCommand "$ssh_command"
  git remote add "$1" "ssh://$server:$ssh_port/$2"
  git add --all
  git commit --quiet --message "$3"
}

do_as_user() { "${as_user[@]}" "${environment[@]}" "$@"; }
git() { do_as_user git -C "$clone" "$@"; }
pushrod() { do_as_user pushrod "$@"; }
remote() { do_as_user bash -c "$ssh_command -o BatchMode=yes $server \"\$*\"" ssh "$@"; }

stop_tree() {
  local deadline=$((SECONDS + 40)) process
  kill -TERM "$tree" 2>/dev/null || true
  while kill -0 "$tree" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
  # It ends when all of it has ended. If it does not, every process that has to do with this directory is killed.
  if ! kill -0 "$tree" 2>/dev/null; then return 0; fi
  for process in /proc/[0-9]*; do
    [ "${process#/proc/}" != $$ ] || continue
    if [[ $(readlink "$process/cwd") == "$work"/* ]] || grep -qsF -e "$work" "$process/cmdline"; then
      kill -KILL "${process#/proc/}" || true
    fi
  done 2>/dev/null
}

clean_up() {
  local status=$?
  set +e
  trap - EXIT
  trap '' INT TERM HUP
  cd /
  if [ -n "$tree" ]; then
    printf '\nStopping everything gracefully.\n'
    stop_tree
    wait "$tree" 2>/dev/null
  fi
  chmod -R u+rwX "$work" 2>/dev/null
  rm -rf "$work"
  exit "$status"
}

# free_port FIRST: the first port from there on that no process has.
free_port() {
  /usr/bin/python3 - "$1" <<'PYTHON'
import socket, sys

for port in range(int(sys.argv[1]), 65536):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            continue
    print(port)
    break
PYTHON
}
