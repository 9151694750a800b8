"""Bare connections to an app: the head of an answer, and WebSockets to the test app's /ws."""

import base64
import os


def read_head(connection):
    """The head of an answer on a bare connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(1)
        assert more, f"the connection ended: {data!r}"
        data += more
    return data.decode()


def open_websocket(app):
    """A connection that has become a WebSocket of the app."""
    connection = app.platform.connect_http()
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {app.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = read_head(connection)
    assert head.startswith("HTTP/1.1 101 "), head
    return connection


def echo(connection, text):
    """Sends one text frame and returns the text of the one that comes back."""
    mask = os.urandom(4)
    data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(text.encode()))
    connection.sendall(bytes([0x81, 0x80 | len(data)]) + mask + data)
    answer = b""
    while len(answer) < 2 + len(data):
        more = connection.recv(2 + len(data) - len(answer))
        assert more, "the WebSocket ended"
        answer += more
    return answer[2:].decode()
