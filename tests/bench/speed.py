"""The router beside nginx, as ratios inside one run. Started like bench.py (script/bench --requests).

nginx passes requests on to the same Node.js app over kept connections; all are asked in turn, several times. Then apps
that close their connections without a word, while they are pushed again and again: how many requests fail.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from bench import Report, SETTINGS  # noqa: E402 (needs the path)
from harness import Platform, run_command, start_command, wait_until  # noqa: E402

HOST = "localhost"  # wrk asks for a certificate of the name in the address
CLIENTS = 32
SERVER = """
const http = require('node:http');
http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  response.end('hello\\n');
}).listen(process.env.PORT, '127.0.0.1');
"""
# Closes a connection so many milliseconds after its last response, or after so many responses, and never says so.
CLOSING_SERVER = """
const net = require('node:net');
const {IDLE, RESPONSES} = process.env;
net.createServer({noDelay: true}, (socket) => {
  let responses = 0, timer, text = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    clearTimeout(timer);
    text += data.toString('latin1');
    for (;;) {
      const end = text.indexOf('\\r\\n\\r\\n') + 4;
      if (end < 4) break;
      const length = /content-length: (\\d+)/i.exec(text.slice(0, end));
      const whole = end + (length ? +length[1] : 0);
      if (text.length < whole) break;
      text = text.slice(whole);
      socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n');
      if (++responses === +RESPONSES || IDLE === '0') return socket.end();
    }
    if (IDLE) timer = setTimeout(() => socket.end(), +IDLE);
  });
}).listen(process.env.PORT, '127.0.0.1');
"""


def node_app(server):
    return {"package.json": json.dumps({"name": "app", "version": "1.0.0"}), "server.js": server,
            "Procfile": "web: node server.js\n"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each figure (default: 7)")
    parser.add_argument("--seconds", type=int, default=3, help="of each round (default: 3)")
    parser.add_argument("--closing-seconds", type=int, default=20, help="of each app that closes (default: 20)")
    arguments = parser.parse_args()
    report = Report()
    platform = Platform("requests")
    https = platform.ports.https
    try:
        (platform.root / "server.toml").write_text(f'{SETTINGS}[https]\nlisten = "127.0.0.1:{https}"\n')
        platform.start()
        measure_speed(platform, arguments, report)
        measure_closing_apps(platform, arguments.closing_seconds, report)
    finally:
        platform.close()
    report.print()


def make_certificate(platform):
    key, certificate = platform.home / "key.pem", platform.home / "certificate.pem"
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                 "9", "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate],
                env=platform.client_env)  # fmt: skip
    return key, certificate


def start_nginx(platform, port, key, certificate):
    """Returns the process, and its ports for http and https."""
    directory = platform.home / "nginx"
    directory.mkdir()
    http, https = platform.ports.others, platform.ports.others + 1
    paths = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi", "client_body"))
    (directory / "nginx.conf").write_text(f"""
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 2;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000;
  {paths}
  upstream app {{ server 127.0.0.1:{port}; keepalive {2 * CLIENTS}; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl http2;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{
      proxy_pass http://app; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
""")
    process = start_command(["/usr/sbin/nginx", "-c", directory / "nginx.conf", "-p", directory],
                            env=platform.client_env, stderr=subprocess.DEVNULL)
    for one in (http, https):
        wait_until(lambda one=one: platform.accepts(one), 20, "nginx")
    return process, http, https


def wrk(platform, url, seconds, *more):
    """Requests per second, p99 in milliseconds, requests, failures."""
    out = run_command(["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", *more, url], env=platform.client_env).out
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    failed = sum(int(count) for count in re.findall(r"(?:Non-2xx or 3xx responses:|connect|read|write|timeout) (\d+)", out))
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit],
            int(re.search(r"(\d+) requests in", out)[1]), failed)  # fmt: skip


def measure_speed(platform, arguments, report):
    app = platform.deploy(node_app(SERVER))
    platform.pushrod("domain", "add", app.name, HOST)
    key, certificate = make_certificate(platform)
    platform.pushrod("cert", "add", HOST, input=certificate.read_text() + key.read_text())
    nginx, http, https = start_nginx(platform, app.processes()[0]["port"], key, certificate)
    urls = {"nginx": f"http://127.0.0.1:{http}/", "pushrod": f"http://127.0.0.1:{platform.ports.http}/",
            "nginx, TLS": f"https://{HOST}:{https}/", "pushrod, TLS": f"https://{HOST}:{platform.ports.https}/"}
    results = {name: [] for name in urls}
    try:
        for _ in range(arguments.rounds):
            for name, url in urls.items():
                host = () if "TLS" in name else ("-H", f"Host: {app.host}")
                results[name].append(wrk(platform, url, arguments.seconds, *host))
    finally:
        nginx.terminate()  # SIGKILL would leave its workers
        nginx.wait()
    for name, wanted in (("", "≥ 0.75"), (", TLS", "≥ 0.75")):
        ours, theirs = results["pushrod" + name], results["nginx" + name]
        speed = statistics.median(one[0] for one in ours) / statistics.median(one[0] for one in theirs)
        p99 = statistics.median(one[1] for one in ours) / statistics.median(one[1] for one in theirs)
        shown = ", ".join(f"{one[0]:.0f}/{other[0]:.0f}" for one, other in zip(ours, theirs))
        report.add(f"requests/s ÷ nginx's{name}, {CLIENTS} clients, Node.js app", wanted, "0.95", f"{speed:.2f} ({shown})")
        report.add(f"p99 ÷ nginx's{name}", "≤ 1.5", "1.1", f"{p99:.2f}")
    failed = sum(one[3] for result in results.values() for one in result)
    report.add("failed requests of these", "0", "0", f"{failed} of {sum(one[2] for r in results.values() for one in r)}")


def measure_closing_apps(platform, seconds, report):
    post = platform.home / "post.lua"
    post.write_text('wrk.method = "POST"\nwrk.body = "body"\n')
    for what in ("IDLE=0", "IDLE=1000", "IDLE=5000", "RESPONSES=100"):
        app = platform.create_app(node_app(CLOSING_SERVER))
        app.work.push(f"HEAD:refs/heads/{app.branch}")
        platform.pushrod("config", "set", app.name, what)
        stop, pushes = threading.Event(), [0]

        def push(app=app, stop=stop, pushes=pushes):
            while not stop.is_set():
                pushes[0] += 1
                app.work.commit({"VERSION": str(pushes[0])})
                app.work.push(f"HEAD:refs/heads/{app.branch}")

        pusher = threading.Thread(target=push)
        pusher.start()
        try:
            url = f"http://127.0.0.1:{platform.ports.http}/"
            host = ("-H", f"Host: {app.host}")
            got = wrk(platform, url, seconds, *host)
            posted = wrk(platform, url, seconds, *host, "-s", str(post))
        finally:
            stop.set()
            pusher.join()
        report.add(f"failed requests, an app with {what}, {pushes[0]} pushes", "0", "0",
                   f"{got[3]} of {got[2]} GET, {posted[3]} of {posted[2]} POST")


if __name__ == "__main__":
    main()
