"""What an instance or a build may use at the most, and what happens when it wants more (faults 38 and 39).

These hold on every machine, with or without cgroups: what only a cgroup can do is tried by script/guest.
"""

import os
import re
import resource
import time

import pytest
from crash import app_processes
from harness import Traffic, wait_until, web_app

# Processes that make processes, until there are no more to be had; what it got is in /data.
BOMB = """
import os, signal, sys, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("bomb", flush=True)
refused = 0
while True:
    try:
        if os.fork() == 0:
            refused = 0
    except OSError as error:
        refused += 1
        if refused == 1:
            os.close(os.open(f"{sys.argv[1]}/{error.errno}.{os.getpid()}", os.O_CREAT))
        time.sleep(0.05)
"""


def has_cgroups(platform):
    """Do cgroups limit here, or the processes themselves?"""
    return (platform.root / "run" / "cgroup").exists()


def bombs(platform):
    """The processes that the bomb has made; not bwrap and the shim, whose command lines hold its name, too."""
    return [process for process in platform.processes("bomb.py") if process.argv[0] == "python3"]


def limits_of(app, *argv):
    """/proc/PID/limits of the app's process with this command line: name → soft limit."""
    pid = next(process.pid for process in app_processes(app) if process.argv[:-1] == [*argv])
    lines = open(f"/proc/{pid}/limits", encoding="utf-8").read().splitlines()[1:]
    return {line[:25].strip(): line[26:].split()[0] for line in lines}


def test_limits_reach_the_processes_of_their_type_alone(platform):
    toml = """
    [processes.web]
    command = "exec python3 web.py"
    [processes.worker]
    command = "exec sleep 31415"
    memory = "256 MiB"
    processes = 64
    open_files = 100
    """
    app = platform.deploy(web_app("1", pushrod_toml=toml))
    worker = limits_of(app, "sleep", "31415")
    assert worker["Max data size"] == ("unlimited" if has_cgroups(platform) else str(256 << 20))
    assert (worker["Max processes"], worker["Max open files"]) == ("65", "100")
    others = limits_of(app, "python3", "web.py")
    assert others["Max data size"] == "unlimited"
    assert others["Max processes"] == "1025", "what an app does not say, the operator says"
    assert int(others["Max open files"]) > 1000


def test_more_memory_than_allowed_is_refused_to_the_process(platform):
    code = "import time\ntry:\n    b = bytearray(400 << 20)\nexcept MemoryError:\n    print('refused', flush=True)\ntime.sleep(1000)\n"
    toml = '[processes.worker]\ncommand = "exec python3 grow.py"\nmemory = "256 MiB"\n'
    app = platform.deploy({"pushrod.toml": toml, "grow.py": code})
    wait_until(
        lambda: "refused" in platform.pushrod("logs", app.name).out or app.processes()[0]["last_exit"].startswith("killed"),
        what="the refusal",
    )


def test_the_push_reports_a_limit_that_the_machine_cannot_enforce(platform):
    toml = '[processes.worker]\ncommand = "exec sleep 1000"\ncpu = 0.5\nmemory = "256 MiB"\n'
    app = platform.create_app({"pushrod.toml": toml})
    pushed = app.push().err
    finding = next(f for f in platform.json("doctor") if f["name"] == "cgroup limits")
    if has_cgroups(platform):
        assert f"limits of {app.name}" not in pushed and finding["good"]
    else:
        assert f"limits of {app.name}: cpu is not limited, memory is limited per process" in pushed
        assert "pushrod doctor" in pushed
        assert not finding["good"] and "cpu" in finding["lost"] and "Delegate=yes" in finding["remedy"]


def test_the_push_reports_more_open_files_than_the_hard_limit(own_platform):
    # `up` has become s6-svscan, from which instances have their hard limits.
    resource.prlimit(own_platform.up.pid, resource.RLIMIT_NOFILE, (2_000, 2_000))
    toml = '[processes.web]\ncommand = "exec python3 web.py"\nopen_files = {}\n'
    app = own_platform.create_app(web_app("1", pushrod_toml=toml.format(3_000)))
    assert f"limits of {app.name}: open_files is 1500 instead of 3000 (three quarters of LimitNOFILE=" in app.push().err
    assert "limits of" not in app.push({"pushrod.toml": toml.format(1_500)}).err


FILL = """
import os, sys, time
written = {}
for directory in ("/tmp", "/dev/shm", "/dev", "/var", "/"):
    written[directory] = 0
    try:
        with open(f"{directory}/full", "wb") as file:
            while written[directory] < 100 << 20:
                written[directory] += file.write(bytes(1 << 20))
    except OSError as error:
        pass
print("written", written, flush=True)
time.sleep(1000)
"""


def test_files_in_memory_count_as_memory(platform):
    toml = '[processes.worker]\ncommand = "exec python3 fill.py"\nmemory = "32 MiB"\n'
    app = platform.deploy({"fill.py": FILL, "pushrod.toml": toml, "requirements.txt": ""})
    line = wait_until(lambda: re.search("written (.*)", platform.pushrod("logs", app.name).out), what="all that it wrote")
    written = {name: size >> 20 for name, size in eval(line[1]).items()}
    assert written == {"/tmp": 32, "/dev/shm": 32, "/dev": 0, "/var": 0, "/": 0}
    (usage,) = platform.json("top", app.name)
    assert 64 << 20 <= usage["memory_bytes"] < 90 << 20


def test_a_build_cannot_fill_the_memory_with_files(make_platform):
    platform = make_platform(settings='[limits]\nbuild_tmp = "16M"\n').start()
    app = platform.create_app(web_app("1"))
    toml = '[build]\ncommand = "df --output=size -B1M /tmp /dev/shm; head -c 20000000 /dev/zero > /tmp/full"\n'
    result = app.push({"pushrod.toml": toml}, code=1)
    assert len(re.findall(r"^remote: +16 *$", result.err, re.MULTILINE)) == 2
    assert "No space left on device" in result.err


@pytest.mark.parametrize("line", ["memory = 1", 'cpu = "much"', "processes = 0", "open_files = -1"])
def test_a_limit_that_makes_no_sense_is_refused_with_its_line(platform, line):
    app = platform.create_app(web_app("1"))
    result = app.push({"pushrod.toml": f'[processes.web]\ncommand = "x"\n{line}\n', "Procfile": None}, code=1)
    assert f'pushrod.toml:3: "{line.split()[0]}" in [processes.web]' in result.err


def test_a_fork_bomb_in_an_app_stays_within_its_limit(platform):
    victim = platform.deploy(web_app("victim"))
    toml = '[processes.worker]\ncommand = "exec python3 bomb.py /data"\nprocesses = 40\nstop_timeout = "1s"\n'
    app = platform.create_app({"pushrod.toml": toml, "bomb.py": BOMB})
    app.push()
    wait_until(lambda: list(app.data.iterdir()), what="the refusal of one more process")
    for _ in range(20):
        assert len(bombs(platform)) <= 40
        time.sleep(0.02)
    assert {name.name.split(".")[0] for name in app.data.iterdir()} == {"11"}, "EAGAIN"
    with Traffic(victim, clients=1) as traffic:
        traffic.await_requests(50)
    traffic.assert_no_failure()
    victim.push({"VERSION": "2"})
    assert victim.version() == "2"
    # Every one of them ends when it is told to.
    app.push({"pushrod.toml": toml.replace("python3 bomb.py /data", "sleep 1000")})
    app.await_settled()
    wait_until(lambda: not bombs(platform), what="the end of the bomb")


def test_a_fork_bomb_in_a_build_stays_within_its_limit(make_platform):
    platform = make_platform(settings='[limits]\nbuild_processes = 40\nbuild_timeout = "4s"\n').start()
    victim = platform.deploy(web_app("victim"))
    toml = '[build]\ncommand = "python3 bomb.py /cache"\n'
    app = platform.create_app(web_app("1", pushrod_toml=toml) | {"bomb.py": BOMB})
    push = app.start_push()
    wait_until(lambda: list(app.build_cache.glob("11.*")), what="the refusal of one more process")
    assert len(bombs(platform)) <= 40
    assert victim.version() == "victim"
    result = app.work.finish_push(push, code=1)
    assert "the build was stopped after 4.0 s" in result.err
    wait_until(lambda: not bombs(platform), what="the end of the bomb")


def test_a_build_that_exceeds_a_limit_names_it(make_platform):
    platform = make_platform(settings='[limits]\nbuild_memory = "256M"\nbuild_processes = 20\n').start()
    toml = "[build]\ncommand = \"python3 -c 'bytearray(100 << 30)'\"\n"
    app = platform.create_app(web_app("1", pushrod_toml=toml))
    result = app.push(code=1)
    assert "[limits] build_memory" in result.err
    toml = "[build]\ncommand = \"for i in $(seq 50); do sleep 100 & done\"\n"
    result = app.push({"pushrod.toml": toml}, code=1)
    assert "[limits] build_processes" in result.err


def test_the_kernel_takes_builds_before_apps_and_apps_before_us(platform):
    app = platform.create_app(web_app("1", pushrod_toml='[build]\ncommand = "cat /proc/self/oom_score_adj"\n'))
    assert re.search(r"^remote: +500 *$", app.push().err, re.MULTILINE)
    assert app.get("/read?path=/proc/self/oom_score_adj").text == "200\n"
    router = platform.service_pid("router")
    assert int(open(f"/proc/{router}/oom_score_adj", encoding="utf-8").read()) < 200
    assert os.path.exists(f"/proc/{app.processes()[0]['pid']}")


def test_top_shows_what_an_instance_uses(platform):
    spin = "import time\nb = bytearray(50 << 20)\nend = time.monotonic() + 600\nwhile time.monotonic() < end: pass\n"
    procfile = "web: python3 web.py\nspin: exec python3 spin.py\n"
    app = platform.deploy(web_app("1", Procfile=procfile) | {"spin.py": spin})
    with Traffic(app, clients=1, pause=0.01) as traffic:
        spinning, web = platform.json("top", app.name)
    traffic.assert_no_failure()
    assert spinning.keys() == {"instance", "app", "process", "cpu_percent", "memory_bytes", "requests_per_second",
                               "restarts", "up_for_ms"}  # fmt: skip
    assert (spinning["process"], web["process"]) == ("spin", "web")
    assert 5 < spinning["cpu_percent"] < 110 and spinning["cpu_percent"] > web["cpu_percent"]
    assert 50 << 20 < spinning["memory_bytes"] < 100 << 20
    assert 1 < web["requests_per_second"] < 1000 and spinning["requests_per_second"] == 0
    text = platform.ssh("top", app.name).out.splitlines()
    assert text[0].split() == ["INSTANCE", "CPU", "MEMORY", "REQUESTS/S", "RESTARTS", "UP", "FOR"]
    assert text[1].split()[0] == f"{app.name}.1.spin.1" and text[1].split()[2] == "%"
    assert {row["app"] for row in platform.json("top")} >= {app.name}
    platform.pushrod("top", "nobody", code=1)


def test_top_on_a_terminal_looks_again_until_q(platform):
    app = platform.deploy(web_app("1"))
    terminal, theirs = os.openpty()
    process = platform.start_client(
        [platform.binary, "--root", platform.root, "top", app.name], env=platform.server_env,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while seen.count(f"{app.name}.1.web.1".encode()) < 2:
        seen += os.read(terminal, 10_000)
    os.write(terminal, b"q")
    while b"\x1b[?1049l" not in seen:
        seen += os.read(terminal, 10_000)
    assert process.wait(10) == 0
    os.close(terminal)
