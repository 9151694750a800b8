"""What an app that attacks the kernel from inside may call (fault 49)."""

import os
import platform as machine
import signal

import pytest
from attacks import attempt, deploy_hostile


@pytest.fixture(scope="module")
def hostile(shared_platform):
    """The app that attacks."""
    return deploy_hostile(shared_platform)


def call_it(name, arguments):
    return call(name, *arguments)  # noqa: F821 (hostile.py's)


NEW_USER_NAMESPACE = 0x10000000
# With arguments to which a kernel without our filter says something else than EPERM, as far as there are any.
REFUSED_CALLS = {
    "keyctl": [0, -3, 0],
    "add_key": [0, 0, 0, 0, 0],
    "request_key": [0, 0, 0, 0],
    "ptrace": [0, 0, 0, 0],
    "process_vm_readv": [1, 0, 0, 0, 0, 0],
    "process_vm_writev": [1, 0, 0, 0, 0, 0],
    "pidfd_getfd": [0, 0, 0],
    "mount": [0, 0, 0, 0, 0],
    "umount2": [0, 0],
    "chroot": [0],
    "open_tree": [0, 0, 0],
    "mount_setattr": [0, 0, 0, 0, 0],
    "open_by_handle_at": [0, 0, 0],
    "unshare": [NEW_USER_NAMESPACE],
    "clone": [NEW_USER_NAMESPACE | 17, 0, 0, 0, 0],
    "setns": [0, 0],
    "perf_event_open": [0, 0, -1, -1, 0],
    "userfaultfd": [1],
    # A kernel refuses these to apps anyway, for want of a capability (bpf: as Debian sets it); these tests show no more
    # than that nothing lets them through.
    "bpf": [0, 0, 0],
    "pivot_root": [0, 0],
    "move_mount": [0, 0, 0, 0, 0],
    "fsopen": [0, 0],
    "fsmount": [0, 0, 0],
    "init_module": [0, 0, 0],
    "finit_module": [0, 0, 0],
    "delete_module": [0, 0],
    "kexec_load": [0, 0, 0, 0],
}


@pytest.mark.parametrize("name", REFUSED_CALLS)
def test_a_dangerous_system_call_is_refused(hostile, name):
    assert attempt(hostile, call_it, name=name, arguments=REFUSED_CALLS[name]) == "EPERM"


@pytest.mark.parametrize("name", ["clone3", "io_uring_setup"])
def test_a_system_call_that_programs_can_do_without_seems_not_to_exist(hostile, name):
    assert attempt(hostile, call_it, name=name, arguments=[0, 0]) == "ENOSYS"


def type_into_a_terminal(request):
    import fcntl
    import os

    terminal = os.openpty()[1]
    try:
        fcntl.ioctl(terminal, request, b"x")
    finally:
        os.close(terminal)


@pytest.mark.parametrize("number", [0x5412, 0x541C, 0x5423])
def test_nothing_is_typed_into_terminals(hostile, number):
    assert attempt(hostile, type_into_a_terminal, request=number) == "EPERM"
    # The kernel looks at 32 bits of it.
    assert attempt(hostile, call_it, name="ioctl", arguments=[0, 1 << 40 | number, 0]) == "EPERM"


def open_socket(family, kind, protocol):
    import socket

    socket.socket(family, kind, protocol).close()
    return "open"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ((2, 1, 0), "open"),  # TCP
        ((10, 1, 6), "open"),
        ((10, 2, 17), "open"),  # UDP
        ((1, 5, 0), "open"),  # Unix
        ((16, 3, 0), "open"),  # the list of addresses
        ((16, 3, 4), "EPROTONOSUPPORT"),  # the list of everybody's sockets
        ((2, 5, 0), "ESOCKTNOSUPPORT"),  # SCTP by its type
        ((2, 3, 1), "ESOCKTNOSUPPORT"),  # raw
        ((17, 3, 0), "EAFNOSUPPORT"),  # packets
        ((38, 5, 0), "EAFNOSUPPORT"),  # the kernel's cryptography
        ((40, 1, 0), "EAFNOSUPPORT"),  # virtual machines
        ((43, 1, 0), "EAFNOSUPPORT"),  # SMC
    ],
)
def test_sockets_are_those_that_apps_need(hostile, arguments, expected):
    family, kind, protocol = arguments
    assert attempt(hostile, open_socket, family=family, kind=kind, protocol=protocol) == expected


def call_as_another_architecture(code):
    import ctypes
    import mmap
    import os

    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(bytes.fromhex(code))
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    child = os.fork()
    if child == 0:
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_the_system_calls_of_another_architecture_are_no_way_around(hostile):
    if machine.machine() == "x86_64":
        getpid_of_i386 = "b814000000cd80c3"  # mov $20, %eax; int $0x80; ret
        assert attempt(hostile, call_as_another_architecture, code=getpid_of_i386) & 0x7F == signal.SIGSYS
        # Most kernels lack x32 and would say the same.
        getpid_of_x32 = 0x40000000 + 39
        assert attempt(hostile, call_it, name=getpid_of_x32, arguments=[]) == "ENOSYS"


def run_bwrap():
    import subprocess

    return subprocess.run(["bwrap", "--unshare-user", "--ro-bind", "/", "/", "true"], capture_output=True).returncode


def test_nested_sandboxes_are_refused(hostile):
    assert attempt(hostile, run_bwrap) != 0
