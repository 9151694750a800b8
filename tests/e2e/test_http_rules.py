"""[http] of pushrod.toml, HTTP/2 to an app, and files that nginx serves: released and rolled back with the code."""

import gzip
import subprocess

import grpc
import pytest
from harness import Traffic, wait_until, web_app

from test_domains import get_secure, make_certificate, routers

RULES = """[http]
max_body = 1000
keep_underscores = true
[http.headers]
X-Frame-Options = "DENY"
[http.pages]
503 = "errors/503.html"
[[http.redirect]]
from = "/old/*"
to = "/list?path=*"
"""

GRPC_SERVER = """import grpc, os
from concurrent import futures

def shout(request, context):
    context.set_trailing_metadata((("x-last", "yes"),))
    return request.upper()

def count(request, context):
    for number in range(int(request)):
        yield str(number).encode()

class Handler(grpc.GenericRpcHandler):
    def service(self, call):
        if call.method == "/test/Shout":
            return grpc.unary_unary_rpc_method_handler(shout)
        return grpc.unary_stream_rpc_method_handler(count)

server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Handler(),))
server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
server.start()
server.wait_for_termination()
"""


def test_http_rules_come_and_go_with_the_release(platform):
    app = platform.deploy(web_app("1"))
    workers = routers(platform)
    files = web_app("2", pushrod_toml=RULES) | {"errors/503.html": "<h1>Back\nsoon</h1>"}
    with Traffic(app) as traffic:
        traffic.await_requests(20)
        app.push(files)
        traffic.await_requests(20)
    assert not traffic.failures()
    assert app.get().headers["X-Frame-Options"] == "DENY"
    assert platform.http(app.host, method="POST", body=b"x" * 1001).status == 413
    assert platform.http(app.host, method="POST", body=b"x" * 1000).text == "1000 bytes\n"
    assert app.get("/old/a", status=308).headers["Location"] == "/list?path=a"
    assert "X_Api_Key" in str(app.get("/headers", headers={"X_Api_Key": "1"}).json()).title()
    platform.pushrod("stop", app.name)
    assert app.get(status=503).text == "<h1>Back\nsoon</h1>"
    platform.pushrod("start", app.name)
    wait_until(lambda: platform.http(app.host).status == 200)

    platform.pushrod("rollback", app.name)
    assert app.version() == "1" and app.get().headers["X-Frame-Options"] is None
    assert platform.http(app.host, method="POST", body=b"x" * 1001).status == 200
    platform.pushrod("stop", app.name)
    assert "stopped by its owner" in app.get(status=503).text
    assert routers(platform) == workers


def test_a_page_that_the_commit_lacks_is_refused(platform):
    app = platform.deploy(web_app("1"))
    result = app.push(web_app("2", pushrod_toml=RULES), code=1)
    assert "the commit has no file errors/503.html" in result.err
    assert app.version() == "1"


def test_text_is_compressed_for_clients_that_take_it(platform):
    app = platform.deploy(web_app("1"))
    answer = app.get("/env", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip" and b"PORT" in gzip.decompress(answer.body)
    assert app.get("/env").headers["Content-Encoding"] is None
    assert b"data: " in app.get("/sse", headers={"Accept-Encoding": "gzip"}).body, "events are not held back"
    app.push({"VERSION": "2", "pushrod.toml": "[http]\ncompress = false\n"})
    assert app.get("/env", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] is None


@pytest.fixture
def secure(make_platform):
    platform = make_platform()
    platform.write_settings(f'[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n')
    return platform.start()


def test_grpc_over_tls_reaches_an_app_that_speaks_http2(secure):
    platform, host = secure, "grpc.example.com"
    toml = '[processes.web]\ncommand = "exec /usr/bin/python3 server.py"\nprotocol = "h2"\n'
    app = platform.deploy({"server.py": GRPC_SERVER, "pushrod.toml": toml})
    platform.pushrod("domain", "add", app.name, host)
    ca, pem = make_certificate(platform, host)
    platform.pushrod("cert", "add", host, input=pem)

    def call(method, request, stream=False):
        credentials = grpc.ssl_channel_credentials(ca.read_bytes())
        options = [("grpc.ssl_target_name_override", host), ("grpc.default_authority", host)]
        with grpc.secure_channel(f"127.0.0.1:{platform.ports.https}", credentials, options) as channel:
            if stream:
                return list(channel.unary_stream(method)(request, timeout=20))
            answer, info = channel.unary_unary(method).with_call(request, timeout=20)
            return answer, dict(info.trailing_metadata())

    answer, trailers = call("/test/Shout", b"hello")
    assert answer == b"HELLO" and trailers["x-last"] == "yes"
    assert call("/test/Count", b"100", stream=True) == [str(number).encode() for number in range(100)]
    app.push({"server.py": GRPC_SERVER.replace("request.upper()", "request.title()")})
    assert call("/test/Shout", b"hello")[0] == b"Hello"
    app.push(web_app("plain", pushrod_toml='[processes.web]\ncommand = "exec python3 web.py"\n'))
    assert get_secure(platform, host, ca).stdout == "plain"


def test_http2_without_tls_is_for_operators_to_allow(make_platform):
    platform = make_platform(settings="[http]\nh2c = true\n").start()
    app = platform.deploy(web_app("1"))
    argv = ["curl", "-sS", "--http2-prior-knowledge", "-w", " %{http_version}", f"http://127.0.0.1:{platform.ports.http}/"]
    assert subprocess.run([*argv, "-H", f"Host: {app.host}"], capture_output=True, text=True, check=True).stdout == "1 2"
