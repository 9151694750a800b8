"""In front of the router and behind it: proxies, the host name of health checks, and localhost."""

import base64
import re
import socket
import ssl

import pytest
from harness import wait_until, web_app

from test_domains import get_secure, make_certificate
from test_traffic import access_log

PROXY = '[http]\ntrusted_proxies = ["127.0.0.1"]\n'

# A framework that answers to one host alone, over https alone.
STRICT = """import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host, proto = self.headers["Host"], self.headers["X-Forwarded-Proto"]
        body = f"{host} {proto}".encode()
        self.send_response(200 if (host, proto) == (ALLOWED, PROTO) else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer((BIND, int(os.environ["PORT"])), Handler).serve_forever()
"""


def http2_status(platform, host, ca, path):
    """The status of GET with these bytes as the path: curl and libraries would encode them (RFC 9113, RFC 7541)."""
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])

    def frame(kind, flags, stream, payload=b""):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def literal(index, value):
        return bytes([index, len(value)]) + value

    with socket.create_connection(("127.0.0.1", platform.ports.https), 10) as connection:
        with context.wrap_socket(connection, server_hostname=host) as client:
            head = b"\x82\x87" + literal(4, path) + literal(1, host.encode())  # GET, https, :path, :authority
            client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 5, 1, head))
            answers = client.makefile("rb")
            while True:
                size, kind = int.from_bytes(answers.read(3), "big"), answers.read(1)
                answers.read(5)
                payload = answers.read(size)
                if kind == b"\x01":
                    return {0x88: 200, 0x8C: 400, 0x8D: 404}[payload[0]]


def strict_app(host, proto="http", bind="127.0.0.1"):
    settings = f"ALLOWED, PROTO, BIND = {host!r}, {proto!r}, {bind!r}\n"
    toml = '[processes.web]\ncommand = "exec python3 web.py"\nhealth.path = "/up"\nhealth.timeout = "3s"\n'
    return {"web.py": settings + STRICT, "pushrod.toml": toml}


def test_what_a_trusted_proxy_says_reaches_the_app_and_the_access_log(make_platform):
    platform = make_platform(settings=PROXY).start()
    app = platform.deploy(web_app("1"))
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "www.example.com"}
    headers = {name.lower(): value for name, value in app.get("/headers", headers=said).json()}
    assert headers["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    assert headers["x-forwarded-host"] == "www.example.com" and headers["host"].startswith(app.host)
    assert wait_until(lambda: [line for line in access_log(app) if line["client"] == "203.0.113.7"])


def test_a_proxy_that_says_https_is_not_redirected(make_platform):
    platform = make_platform()
    platform.write_settings(f'{PROXY}[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n')
    platform.start()
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, "www.example.com")
    platform.pushrod("cert", "add", "www.example.com", input=make_certificate(platform, "www.example.com")[1])
    assert platform.http("www.example.com").status == 308
    assert platform.http("www.example.com", headers={"X-Forwarded-Proto": "https"}).text == "1"


def test_the_proxy_protocol_tells_the_client(make_platform):
    platform = make_platform(settings=PROXY + "proxy_protocol = true\n").start()
    app = platform.deploy(web_app("1"))
    with socket.create_connection(("127.0.0.1", platform.ports.http), 10) as client:
        client.sendall(f"PROXY TCP4 203.0.113.8 127.0.0.1 1 2\r\nGET /headers HTTP/1.0\r\nHost: {app.host}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"203.0.113.8" in answer and b"127.0.0.1" not in answer.split(b"\r\n\r\n")[1], answer


def test_health_checks_send_the_host_that_clients_use(make_platform):
    platform = make_platform()
    platform.write_settings(f'[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n')
    platform.start()
    app = platform.create_app()
    app.push(strict_app(f"{app.name}.localhost:{platform.ports.http}"))
    platform.pushrod("domain", "add", app.name, "old.example.com", "--redirect-to", "www.example.com")
    platform.pushrod("domain", "add", app.name, "*.example.com")
    platform.pushrod("domain", "add", app.name, "www.example.com")
    platform.pushrod("domain", "add", app.name, "a.example.com")
    app.push(strict_app(f"www.example.com:{platform.ports.http}"))
    platform.pushrod("cert", "add", "www.example.com", input=make_certificate(platform, "www.example.com")[1])
    app.push(strict_app(f"www.example.com:{platform.ports.https}", "https"))
    result = app.push(strict_app("other.example.com"), code=1)
    assert "GET /up answered 400" in result.err


@pytest.mark.parametrize("bind", ["localhost", "127.0.0.1", "0.0.0.0"])
def test_an_app_on_localhost_is_found(platform, bind):
    app = platform.create_app()
    app.push(strict_app(f"{app.name}.localhost:{platform.ports.http}", bind=bind))
    assert app.get(headers={"Host": f"{app.name}.localhost:{platform.ports.http}"}).text.startswith(app.name)


def test_long_heads_pass_over_http2_and_raw_bytes_in_a_path_do_not(make_platform):
    platform = make_platform()
    platform.write_settings(f'[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n')
    platform.start()
    app, host = platform.deploy(web_app("1")), "www.example.com"
    platform.pushrod("domain", "add", app.name, host)
    ca, pem = make_certificate(platform, host)
    platform.pushrod("cert", "add", host, input=pem)
    cookie = "c" * 32768
    answer = get_secure(platform, host, ca, "--http2", "-H", f"Cookie: a={cookie}", path="/headers")
    assert cookie in answer.stdout, answer.stdout[:300] + answer.stderr
    answer = get_secure(platform, host, ca, "--http2", "-i", "-H", f"Cookie: a={cookie}{cookie[:2500]}")
    assert answer.stdout.startswith("HTTP/2 431") and "Delete cookies" in answer.stdout
    assert http2_status(platform, host, ca, "/ä".encode()) == 400
    assert http2_status(platform, host, ca, b"/%C3%A4") == 404


def test_access_rules_hold_at_once_and_through_releases(platform):
    app = platform.deploy(web_app("1"))
    password = re.search(r"is (\w{24})\n", platform.ssh("access", "user", app.name, "ada").out)[1]
    login = {"Authorization": "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()}
    assert app.get(status=401).headers["WWW-Authenticate"].startswith(f'Basic realm="{app.name}"')
    assert app.get(headers=login).text == "1"
    assert password not in str(app.get("/headers", headers=login).json())
    app.push({"VERSION": "2"})
    app.get(status=401)
    assert app.get(headers=login).text == "2"
    new = platform.unique_name()
    platform.pushrod("app", "rename", app.name, new)
    app.name = new
    app.get(status=401)
    platform.pushrod("access", "networks", app.name, "192.0.2.0/24")
    app.get(status=403, headers=login)
    assert platform.json("access", "show", app.name) == {
        "app": app.name, "networks": ["192.0.2.0/24"], "users": ["ada"], "rate": None, "login": False,
    }  # fmt: skip
    platform.pushrod("access", "networks", app.name, "all")
    platform.pushrod("access", "rate", app.name, "2")
    statuses = [platform.http(app.host, headers=login).status for _ in range(20)]
    assert statuses[0] == 200 and 429 in statuses
    platform.pushrod("access", "rate", app.name, "off")
    platform.pushrod("access", "remove-user", app.name, "ada")
    assert app.version() == "2"
    for secret in (password, login["Authorization"].split()[1]):
        assert not platform.files_that_contain(secret)
    assert platform.files_that_contain("Basic realm"), "where the router asks for the password"


def test_an_app_with_login_lets_in_holders_of_a_key_alone(platform):
    app = platform.deploy(web_app("1"))
    key = platform.make_key("visitor-" + app.name)
    name = key.name.removeprefix("key.")
    platform.pushrod("key", "add", name, f"{key}.pub", "--app", app.name, "--role", "view")
    platform.pushrod("access", "login", app.name, "on")
    assert "login " + app.name in app.get(status=401).text

    link = platform.ssh("login", app.name, key=key).out.split()[0]
    path = link[link.index("/.pushrod/") :]
    assert link.startswith(f"http://{app.host}:{platform.ports.http}/.pushrod/login?")
    opened = app.get(path, status=303)
    cookie = {"Cookie": opened.headers["Set-Cookie"].split(";")[0]}
    assert app.get(headers=cookie).text == "1"
    assert "_pushrod_login" not in str(app.get("/headers", headers=cookie).json())
    app.get(path, status=403)
    app.push({"VERSION": "2"})
    assert app.get(headers=cookie).text == "2"

    platform.pushrod("key", "remove", name)
    app.get(status=401, headers=cookie)
    platform.pushrod("access", "login", app.name, "off")
    assert app.version() == "2"
