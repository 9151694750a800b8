"""A web app in the standard library alone: says hello, and which release said it."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "1"
RELEASE = os.environ.get("RELEASE", "0")


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep connections open
    wbufsize = -1  # send an answer in one piece

    def do_GET(self):
        body = f"Hello! This is version {VERSION}, release {RELEASE}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(format % args, flush=True)


class Server(ThreadingHTTPServer):
    request_queue_size = 128


def main():
    port = int(os.environ.get("PORT", "8000"))
    server = Server(("127.0.0.1", port), Hello)
    # Pushrod sends SIGTERM to an old release once it has answered its last request.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    print(f"version {VERSION} listens on port {port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
