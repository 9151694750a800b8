"""server.toml: what is accepted counts, what is not is refused with file and line."""

import socket
import sqlite3

import pytest
from harness import Platform, web_app

WRONG = [
    ("[htp]\nlisten = '*:80'\n", 1, "[http]"),
    ("[http]\nlissten = '*:80'\n", 2, '"listen"'),
    ("[http]\nlisten = 80\n", 2, "string"),
    ("[http]\nlisten = '80'\n", 2, "port"),
    ("[http]\nlisten = 'localhost:80'\n", 2, "address"),
    ("[http]\ndomain = 'a b'\n", 2, "host name"),
    ("[ssh]\nenabled = 'no'\n", 2, "true or false"),
    ("[limits]\nbuilds = -1\n", 2, "0"),
    ("[limits]\n\nbuild_timeout = 'soon'\n", 3, "time"),
    ("[limits]\npush_bytes = '1 parsec'\n", 2, "size"),
    ("[retention]\nreleases = 1.5\n", 2, "number"),
    ("[build.environment]\nPATH = '/x'\n", 2, "Pushrod"),
    ("[build.environment]\n'A B' = 'x'\n", 2, "name"),
    ("[http]\nlisten = '*:80'\nlisten = '*:81'\n", 3, ""),
    ("[http\n", 1, ""),
    ("x = 1\n", 1, "unknown"),
]


@pytest.fixture(scope="module")
def stopped_platform():
    """A root without a tree."""
    platform = Platform("settings")
    yield platform
    platform.close()


@pytest.mark.parametrize("text, line, hint", WRONG, ids=[repr(text)[:30] for text, _, _ in WRONG])
def test_a_wrong_server_toml_is_refused_with_file_and_line(stopped_platform, text, line, hint):
    platform = stopped_platform
    (platform.root / "server.toml").write_text(text)
    for words in (["up"], ["app", "list", "--json"]):
        result = platform.pushrod(*words, code=1)
        assert f"server.toml:{line}:" in result.err and hint in result.err, result
    assert not platform.processes()


def test_up_says_that_the_address_is_in_use(stopped_platform):
    platform = stopped_platform
    platform.write_settings()
    with socket.create_server(("127.0.0.1", platform.ports.http)):
        words = ["up", "--http", f"127.0.0.1:{platform.ports.http}", "--ssh", f"127.0.0.1:{platform.ports.ssh}"]
        result = platform.pushrod(*words, code=1)
    assert f"cannot listen for http on 127.0.0.1:{platform.ports.http}" in result.err
    assert not platform.processes()


def test_a_wrong_server_toml_refuses_pushes_and_changes_nothing(make_platform):
    platform = make_platform().start()
    app = platform.deploy(web_app("1"))
    platform.write_settings("[limits]\nbuilds = 'many'\n")
    result = app.push({"VERSION": "2"}, code=1)
    assert "server.toml:5" in result.err
    assert app.version() == "1"
    platform.write_settings()
    app.work.push()
    assert app.version() == "2"


def test_the_domain_is_what_apps_answer_under(make_platform):
    platform = make_platform(settings='[http]\ndomain = "apps.example.com"\n').start()
    app = platform.create_app(web_app("1"))
    result = app.work.push()
    url = f"http://{app.name}.apps.example.com:{platform.ports.http}"
    assert url in result.err
    assert platform.json("app", "info", app.name)["url"] == url
    assert platform.http(f"{app.name}.apps.example.com").text == "1"
    assert platform.http(f"{app.name}.localhost").status == 404


def test_another_domain_and_other_ports_count_from_the_next_start_on(make_platform):
    platform = make_platform(settings='[http]\ndomain = "old.example.com"\n').start()
    app = platform.create_app(web_app("1"))
    app.work.push()
    first, last = platform.ports.apps
    (platform.root / "server.toml").write_text(
        f'[ports]\nfirst = {first + 50}\nlast = {last}\n[http]\ndomain = "new.example.com"\n'
    )
    app.push({"VERSION": "2"})
    assert platform.http(f"{app.name}.old.example.com").text == "2"
    assert platform.http(f"{app.name}.new.example.com").status == 404
    assert "old.example.com" in platform.json("app", "info", app.name)["url"]
    with sqlite3.connect(platform.root / "pushrod.db") as database:
        ports = [port for (port,) in database.execute("SELECT port FROM instances WHERE port IS NOT NULL")]
    assert ports and all(port < first + 50 for port in ports)
    platform.stop()
    platform.start()
    assert platform.http(f"{app.name}.new.example.com").text == "2"
    assert platform.http(f"{app.name}.old.example.com").status == 404


def test_limits_on_the_tree_are_kept(make_platform):
    platform = make_platform(settings='[limits]\ntree_entries = 20\ntree_bytes = "100k"\ntree_depth = 4\n').start()
    app = platform.deploy(web_app("1"))
    for files, limit in (({f"f{number}": "" for number in range(30)}, "tree_entries"), ({"a/b/c/d/e": ""}, "tree_depth"),
                         ({"large": b"x" * 200_000}, "tree_bytes")):  # fmt: skip
        result = app.push(files, code=1)
        assert limit in result.err and "server.toml" in result.err
        app.work.git("reset", "--quiet", "--hard", "HEAD~1")
    assert app.version() == "1"
    assert [d["number"] for d in app.deployments()] == [1], "refused before there was a deployment"


def test_ports_run_out_with_one_line(make_platform):
    platform = make_platform()
    first = platform.ports.apps[0]
    (platform.root / "server.toml").write_text(f"[ports]\nfirst = {first}\nlast = {first + 1}\n")
    platform.start()
    app = platform.deploy(web_app("1"))
    second = platform.create_app(web_app("2"))
    result = second.push({"pushrod.toml": "[processes.web]\ncommand = 'python3 web.py'\ncount = 2\n", "Procfile": None}, code=1)
    why = f"no port from {first} to {first + 1} is free"
    told = [line for line in result.err.splitlines() if line.startswith("remote:") and why in line]
    assert len(told) == 1, result
    assert app.version() == "1"
    app.push({"VERSION": "3"})
    assert app.version() == "3"
