"""A client, or many, that try to keep others out. The whole attacks are in tests/bench/hostile_clients.py."""

from hostile_clients import idle_connections


def test_idle_ssh_connections_keep_nobody_else_out(platform):
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
