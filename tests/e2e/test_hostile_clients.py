"""A client, or many, that try to keep others out. The whole attacks are in tests/bench/hostile_clients.py."""

import pytest
from harness import APPS, Platform, open_websocket, read_head, wait_until
from hostile_clients import ATTACKS, Attack, connect, idle_connections, request

# Shares as the real ones, of a fiftieth of the connections: those of this machine have 210, requests 120, one address 20
# and 22.
SHARES = "[http]\nconnections = 240\napp_connections = 40\naddress_connections = 20\n"
PATIENT = {"patient.py": (APPS / "patient.py").read_text(), "Procfile": "web: exec python3 patient.py\n"}


@pytest.fixture(scope="module")
def crowded():
    """A platform with small shares."""
    platform = Platform("crowded", settings=SHARES)
    try:
        yield platform.start()
    finally:
        platform.close()


@pytest.fixture(scope="module")
def neighbour(crowded):
    """The app that the attacks are not for."""
    return crowded.deploy()


@pytest.fixture
def victim(crowded):
    """The app that they are for: one each, since a request counts until the app has answered."""
    app = crowded.deploy(PATIENT)
    yield app
    crowded.pushrod("app", "destroy", app.name, "--yes")


def ask(app, source):
    """The head of the answer to a client of that address; None if its connection is closed."""
    try:
        with connect(app.platform.ports.http, source) as connection:
            connection.sendall(request(app.host))
            return read_head(connection)
    except (AssertionError, OSError):
        return None


@pytest.mark.parametrize("name", [*ATTACKS, "flood"])
@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
def test_an_attack_does_not_keep_a_neighbours_clients_out(crowded, neighbour, victim, name, source):
    # Less than that where all of this machine together is all that counts. HAProxy 3.0 reads what is left of a body after
    # it has answered, so connections with slow bodies stay open there.
    count = 190 if source == "127.0.0.1" and name in ("idle", "slow-headers", "slow-bodies") else 300
    with Attack(name, crowded.ports.http, victim.host, count, [source]):
        for _ in range(20):
            assert neighbour.version() == "1"


def test_an_app_with_its_share_of_requests_answers_with_a_page(crowded, neighbour, victim):
    with Attack("hanging-requests", crowded.ports.http, victim.host, 60):
        response = victim.get(status=503)
        assert "Too many requests to this app are open" in response.text
        assert response.headers["Connection"] == "close"
        assert neighbour.version() == "1"


def test_websockets_count(crowded, neighbour, victim):
    sockets = [open_websocket(victim) for _ in range(40)]
    assert victim.get(status=503)
    sockets.pop().close()
    wait_until(lambda: crowded.http(victim.host).status == 200, what="the place of the WebSocket that ended")
    for connection in sockets:
        connection.close()


def over_the_share(app):
    """The head of the page that says so; None if there was another answer."""
    head = ask(app, "127.0.0.2") or ""
    return head if head.startswith("HTTP/1.1 429 ") else None


def test_an_address_with_its_share_gets_a_page_and_then_nothing(crowded, neighbour):
    with idle_connections(crowded.ports.http, 20, ["127.0.0.2"]):
        # HAProxy's threads accept side by side: the last of them may not be counted yet.
        page = wait_until(lambda: over_the_share(neighbour), what="the page")
        assert "connection: close" in page.lower()
        with idle_connections(crowded.ports.http, 2, ["127.0.0.2"]):
            wait_until(lambda: ask(neighbour, "127.0.0.2") is None, what="the end of the share")
        assert ask(neighbour, "127.0.0.3").startswith("HTTP/1.1 200 ")
    wait_until(lambda: "200" in (ask(neighbour, "127.0.0.2") or ""), what="the share to be free again")


def test_the_platform_works_while_this_machines_share_is_taken(crowded, neighbour):
    """An app that is new takes a reload, with requests that one worker hands to the next."""
    with connect(crowded.ports.http) as client:
        client.sendall(request(neighbour.host))
        assert read_head(client).startswith("HTTP/1.1 200 ")
        assert client.recv(10) == b"1"
        with Attack("idle", crowded.ports.http, neighbour.host, 250):
            wait_until(lambda: ask(neighbour, "127.0.0.1") is None, what="the end of the share")
            app = crowded.deploy()
            client.sendall(request(app.host))
            assert read_head(client).startswith("HTTP/1.1 200 "), "its request was handed to the new worker"
    wait_until(lambda: crowded.http(app.host).status == 200, what="the share to be free again")


def test_a_proxy_that_is_named_has_no_share_of_its_own(make_platform):
    platform = make_platform(settings=SHARES + 'proxies = ["127.0.0.2"]\n').start()
    app = platform.deploy()
    with idle_connections(platform.ports.http, 60, ["127.0.0.2"]):
        assert ask(app, "127.0.0.2").startswith("HTTP/1.1 200 ")


def test_idle_ssh_connections_lock_no_client_out(platform):
    """200 from two addresses filled every place once."""
    app = platform.deploy()
    with idle_connections(platform.ports.ssh, 200, ["127.0.0.2", "127.0.0.3"]):
        for _ in range(5):
            assert app.name in platform.ssh("app", "list").out
        app.push({"VERSION": "2"})
    assert app.version() == "2"


def test_failed_logins_do_not_lock_an_address_out(platform):
    """OpenSSH 9.8 and later would, for 15 s at least."""
    stranger = platform.make_key("stranger")
    for _ in range(6):
        platform.ssh("app", "list", key=stranger, code=255)
    platform.ssh("app", "list")
