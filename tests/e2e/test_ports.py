"""`ports = [9394]`: further ports of an instance, leased by the platform."""

import urllib.request

from harness import web_app

METRICS = """
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["INSTANCE"].encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT_9394"])), Answer).serve_forever()
"""
MANIFEST = """
[processes.web]
command = "python3 metrics.py & exec python3 web.py"
count = 2
ports = [9394, 9100]
"""


def ask(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        return response.read().decode()


def test_each_instance_leases_its_further_ports(platform):
    app = platform.deploy(web_app(**{"metrics.py": METRICS}, pushrod_toml=MANIFEST))
    rows = [row for row in platform.json("ps", app.name) if row["process"] == "web"]
    leased = [port for row in rows for port in [row["port"], *row["ports"].values()]]
    first, last = platform.ports.apps
    assert len(set(leased)) == 6 and all(first <= port <= last for port in leased)
    for row in rows:
        assert sorted(row["ports"]) == ["9100", "9394"]
        assert ask(row["ports"]["9394"]) == row["instance"], "the walls let it listen there"
    environment = app.get("/env").json()
    mine = next(row for row in rows if row["instance"] == environment["INSTANCE"])
    assert environment["PORT_9394"] == str(mine["ports"]["9394"]) and environment["PORT_9100"] == str(mine["ports"]["9100"])
    assert "9394 is " in platform.pushrod("ps", app.name).out
    app.push({"VERSION": "2"})
    again = [port for row in platform.json("ps", app.name) if row["release"] == 2 for port in row["ports"].values()]
    assert len(again) == 4 and not set(again) & set(leased), "old and new release run side by side"


def test_a_setting_cannot_take_the_name_of_a_port(platform):
    app = platform.deploy(web_app(pushrod_toml=MANIFEST.replace("python3 metrics.py & ", "")))
    result = platform.pushrod("config", "set", app.name, "PORT_9394=1", code=1)
    assert "PORT_9394 is reserved" in result.err
