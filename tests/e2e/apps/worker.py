"""A worker: holds a lock in /data while it runs and writes down whether somebody else held it."""

import fcntl
import os
import signal
import sys
import time


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    lock = open("/data/worker.lock", "w")
    with open("/data/worker.history", "a") as history:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            history.write(f"{os.environ['INSTANCE']} alone\n")
        except BlockingIOError:
            history.write(f"{os.environ['INSTANCE']} beside another\n")
    print(f"worker {os.environ['INSTANCE']} works", flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
