"""HTTP as clients meet it: hosts, pages, headers, WebSockets, server-sent events."""

import os
import time

import pytest
from harness import Traffic, echo, open_websocket, read_head, web_app


@pytest.fixture(scope="module")
def app(shared_platform):
    """One app for all tests of this file that only ask."""
    return shared_platform.deploy(web_app("router"))


@pytest.mark.parametrize("host", ["nobody.localhost", "localhost", "127.0.0.1", "", "a" * 300, "../app", "x y"])
def test_an_unknown_host_gets_a_short_page(platform, host):
    response = platform.http(host)
    assert response.status in (400, 404)
    if response.status == 404:
        assert response.headers["Content-Type"].startswith("text/")
        assert 20 < len(response.text) < 1000


@pytest.mark.parametrize("spelling", ["{}.localhost", "{}.localhost:8080", "{}.LOCALHOST", "{}.localhost."])
def test_a_host_is_found_however_clients_spell_it(platform, app, spelling):
    response = platform.http(spelling.format(app.name))
    assert (response.status, response.text) == (200, "router")


@pytest.mark.parametrize("host", ["x.{}.localhost", "{}.localhost.evil.example", "{}", "{}.localhos"])
def test_a_host_that_only_resembles_an_apps_is_unknown(platform, app, host):
    assert platform.http(host.format(app.name)).status == 404


@pytest.mark.parametrize("port", ["<script>alert(1)</script>", "other.example", "80:90", "8o80", "-1"])
def test_a_host_with_anything_but_digits_for_a_port_is_refused(platform, app, port):
    assert platform.http(f"{app.name}.localhost:{port}").status == 400


def test_an_app_is_told_the_name_of_its_route(platform, app):
    got = dict(platform.http(f"{app.name.upper()}.LocalHost.:8080", "/headers").json())
    names = {name.lower(): value for name, value in got.items()}
    assert names["host"] == names["x-forwarded-host"] == f"{app.name}.localhost:8080"


@pytest.mark.parametrize(
    "request_head",
    [
        "CONNECT {host}:80 HTTP/1.1\r\nHost: {host}:80\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nX-Name: a\0b\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nTrailer: X-Forwarded-For\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["CONNECT", "NUL", "chunked HTTP/1.0", "trailer"],
)
def test_what_no_app_should_see_is_refused(platform, app, request_head):
    with platform.connect_http() as connection:
        connection.sendall(request_head.format(host=app.host).encode())
        assert read_head(connection).split()[1] in ("400", "405")


def test_an_app_without_instances_gets_a_short_page(platform):
    app = platform.create_app()
    response = app.get(status=503)
    assert response.headers["Content-Type"].startswith("text/")
    assert 20 < len(response.text) < 1000


def test_what_clients_say_about_themselves_is_replaced(app):
    forged = {
        "X-Forwarded-For": "203.0.113.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "bank.example",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Anything": "1",
        "X_Forwarded_For": "203.0.113.2",
        "Forwarded": "for=203.0.113.3",
        "X-Real-IP": "203.0.113.4",
        "Proxy": "http://203.0.113.5",
        "X-Forwarded": "for=203.0.113.6",
        "Forwarded-For": "203.0.113.7",
        "X-Client-IP": "203.0.113.8",
        "True-Client-IP": "203.0.113.9",
        "CF-Connecting-IP": "203.0.113.10",
        "X-Cluster-Client-IP": "203.0.113.11",
        "X-Original-URL": "/bank",
        "X-Rewrite-URL": "/bank",
        "X-Remote-User": "bank",
        "Front-End-Https": "bank",
        "X-Scheme": "bank",
        "Via": "1.1 bank",
    }
    got = app.get("/headers", headers=forged).json()
    ours = [(name.lower(), value) for name, value in got if "forwarded" in name.lower()]
    assert sorted(ours) == [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", app.host),
        ("x-forwarded-port", "80"),
        ("x-forwarded-proto", "http"),
    ]
    assert "203.0.113" not in str(got) and "bank" not in str(got)


def test_the_host_and_other_headers_pass(app):
    got = {name.lower(): value for name, value in app.get("/headers", headers={"X-Mine": "ä".encode("latin-1")}).json()}
    assert got["host"] == app.host
    assert "x-mine" in got


def test_forged_forwarding_headers_of_a_second_request_on_a_connection_are_replaced(platform, app):
    with platform.connect_http() as connection:
        for forged in ("", "X-Forwarded-For: 203.0.113.1\r\n"):
            connection.sendall(f"GET /headers HTTP/1.1\r\nHost: {app.host}\r\n{forged}\r\n".encode())
            head = read_head(connection)
            length = int(head.lower().split("content-length:")[1].split()[0])
            body = b""
            while len(body) < length:
                body += connection.recv(length - len(body))
            assert b"203.0.113" not in body and b'"127.0.0.1"' in body


def test_bodies_pass(platform, app):
    body = os.urandom(3_000_000)
    response = platform.http(app.host, "/upload", method="POST", body=body)
    assert response.text == f"{len(body)} bytes\n"


def test_websockets_pass(app):
    with open_websocket(app) as connection:
        assert echo(connection, "hello") == "hello"
        assert echo(connection, "again") == "again"


def test_an_open_websocket_lives_on_in_the_old_version_until_its_drain_is_over(platform):
    toml = '[processes.web]\ncommand = "python3 web.py"\ndrain_timeout = "3s"\n'
    app = platform.deploy(web_app("1", pushrod_toml=toml))
    with open_websocket(app) as connection:
        app.push({"VERSION": "2"})
        assert app.version() == "2"
        assert echo(connection, "still here") == "still here"
        connection.settimeout(20)
        assert connection.recv(100) in (b"", b"\x88\x00"), "the drain limit ends it"
    app.await_settled()


def test_server_sent_events_arrive_as_they_are_sent(platform, app):
    with platform.connect_http() as connection:
        connection.sendall(f"GET /sse HTTP/1.1\r\nHost: {app.host}\r\n\r\n".encode())
        assert "text/event-stream" in read_head(connection)
        arrivals, data = [], b""
        while more := connection.recv(4096):
            arrivals.append(time.monotonic())
            data += more
    assert data.count(b"data: router") == 3
    assert arrivals[-1] - arrivals[0] > 0.1, "they were held back"


def test_an_app_that_crashes_is_restarted(platform):
    app = platform.deploy(web_app("1"))
    app.crash()
    traffic = Traffic(app, clients=1, at_most=20)
    with traffic:
        while "1" not in traffic.versions():
            traffic.await_requests(1)
    process = app.processes()[0]
    assert process["restarts"] >= 1
    assert "7" in process["last_exit"]
    assert process["state"] == "running"


def test_requests_that_the_router_cannot_read_are_refused(platform, app):
    for request in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"):  # fmt: skip
        with platform.connect_http() as connection:
            connection.sendall(request)
            assert " 400 " in read_head(connection).splitlines()[0] + " "
    assert app.version() == "router"
