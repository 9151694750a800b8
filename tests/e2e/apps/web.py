"""The app that the tests deploy: the standard library alone, every path answers one question of a test.

/            the version, which is the content of the file VERSION
/slow?ms=N   the version, after N milliseconds
/env         the environment, as JSON
/headers     the request's headers, as a JSON list of pairs
/read?path=  the content of a file, or 404 and why not
/list?path=  the names in a directory, as JSON, or 404 and why not
/write?path=&text=   writes a file, or answers 403 and why not
/say?text=   prints a line
/crash       ends the process at once
/ws          a WebSocket that sends back what it gets
/sse         three server-sent events, one after the other
"""

import base64
import hashlib
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

with open("VERSION", encoding="utf-8") as version_file:
    VERSION = version_file.read().strip()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        action = getattr(self, "get_" + (url.path.strip("/") or "version"), None)
        if action is None:
            self.answer(404, f"no {url.path} here\n")
        else:
            action()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(200, f"{len(body)} bytes\n")

    def answer(self, status, text, content_type="text/plain; charset=utf-8"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, value):
        self.answer(200, json.dumps(value), "application/json")

    def get_version(self):
        self.answer(200, VERSION)

    def get_slow(self):
        time.sleep(int(self.query["ms"]) / 1000)
        self.get_version()

    def get_env(self):
        self.answer_json(dict(os.environ))

    def get_headers(self):
        self.answer_json(self.headers.items())

    def get_read(self):
        try:
            with open(self.query["path"], encoding="utf-8", errors="replace") as file:
                self.answer(200, file.read())
        except OSError as error:
            self.answer(404, str(error))

    def get_list(self):
        try:
            self.answer_json(sorted(os.listdir(self.query["path"])))
        except OSError as error:
            self.answer(404, str(error))

    def get_write(self):
        try:
            with open(self.query["path"], "w", encoding="utf-8") as file:
                file.write(self.query["text"])
            self.answer(200, "written")
        except OSError as error:
            self.answer(403, str(error))

    def get_say(self):
        print(self.query["text"], flush=True)
        self.answer(200, "said")

    def get_crash(self):
        os._exit(7)

    def get_sse(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for number in range(3):
            self.wfile.write(f"data: {VERSION} {number}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.1)

    def get_ws(self):
        """Frames of less than 126 bytes; ends with the connection (RFC 6455)."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while True:
            start = self.rfile.read(2)
            if len(start) < 2 or start[0] & 0x0F == 8:
                return
            mask = self.rfile.read(4)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(start[1] & 0x7F)))
            self.wfile.write(bytes([start[0], len(data)]) + data)
            self.wfile.flush()

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
    # Requests that are being answered are finished: shutdown() stops accepting only.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"version {VERSION} listens", flush=True)
    server.serve_forever(poll_interval=0.05)
    print(f"version {VERSION} ends", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
