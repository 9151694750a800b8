"""An app that does what a test tells it: the body of a POST is Python, whose function `attack` is called with the
arguments in the header X-Arguments (JSON). The answer is {"result": …}, or {"error": "EPERM"} for an OSError.

GET answers "hostile". `call(name, *arguments)` makes a system call and raises OSError where it fails.
"""

import ctypes
import errno
import json
import os
import platform
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {
        "add_key": 248, "request_key": 249, "keyctl": 250, "ptrace": 101, "process_vm_readv": 310,
        "process_vm_writev": 311, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272,
        "setns": 308, "perf_event_open": 298, "userfaultfd": 323, "bpf": 321, "init_module": 175,
        "finit_module": 313, "delete_module": 176, "kexec_load": 246, "clone": 56, "open_by_handle_at": 304,
        "ioctl": 16,
    },
    "aarch64": {
        "add_key": 217, "request_key": 218, "keyctl": 219, "ptrace": 117, "process_vm_readv": 270,
        "process_vm_writev": 271, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97,
        "setns": 268, "perf_event_open": 241, "userfaultfd": 282, "bpf": 280, "init_module": 105,
        "finit_module": 273, "delete_module": 106, "kexec_load": 104, "clone": 220, "open_by_handle_at": 265,
        "ioctl": 29,
    },
}[platform.machine()] | {
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "clone3": 435,
    "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip


def call(name, *arguments):
    """A system call, by name or number."""
    number = NUMBERS[name] if isinstance(name, str) else name
    result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        self.answer("hostile")

    def do_POST(self):
        scope = {"call": call, "NUMBERS": NUMBERS}
        try:
            exec(self.rfile.read(int(self.headers["Content-Length"])).decode(), scope)
            result = {"result": scope["attack"](**json.loads(self.headers["X-Arguments"]))}
        except OSError as error:
            result = {"error": errno.errorcode.get(error.errno, str(error))}
        self.answer(json.dumps(result))

    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    sys.exit(0)


if __name__ == "__main__":
    main()
