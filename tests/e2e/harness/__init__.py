"""A whole Pushrod in a temporary directory, for tests from end to end; a file per subject, all names from here.

`Platform` is a running tree: own root, own ports, own key. `WorkTree` is a developer's clone. `Traffic` asks an app
all the time. Everything waits for events with a deadline, and a failed command says what it printed.
"""

from .app import APPS, HELD_BUILD, App, WorkTree, dying_app, web_app
from .certificate_authority import CertificateAuthority
from .commands import CommandFailed, Result, finish, run_command, start_command, wait_until
from .platform import HostProcess, Platform
from .ports import PortBlock
from .terminal import Terminal
from .traffic import Request, Response, Traffic
from .websocket import echo, open_websocket, read_head

__all__ = [
    "APPS", "HELD_BUILD", "App", "CertificateAuthority", "CommandFailed", "HostProcess", "Platform", "PortBlock", "Request", "Response",
    "Result", "Terminal", "Traffic", "WorkTree", "dying_app", "echo", "finish", "open_websocket", "read_head",
    "run_command", "start_command", "wait_until", "web_app",
]  # fmt: skip
