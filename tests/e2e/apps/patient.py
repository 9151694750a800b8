"""An app that bears thousands of connections: one thread, one coroutine a connection.

/         answers at once
/hang     never answers
/body     reads whatever comes, for as long as it comes
/endless  an answer without an end
/ws       becomes a WebSocket in which nothing happens
"""

import asyncio
import base64
import hashlib
import os


async def serve(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    path = head.split()[1]
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if path == "/":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere")
    elif path == "/hang":
        await reader.read()
    elif path == "/body":
        while await reader.read(65536):
            pass
    elif path == "/endless":
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
    elif path == "/ws":
        key = [line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")][0]
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: {headers['upgrade']}\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        await reader.read()
    writer.close()


async def quietly(reader, writer):
    try:
        await serve(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def main():
    server = await asyncio.start_server(quietly, "127.0.0.1", int(os.environ["PORT"]), backlog=4096)
    await server.serve_forever()


asyncio.run(main())
