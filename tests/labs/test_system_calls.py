"""The kernel's calls: what student code cannot ask for, tried as student code; what it needs, too."""

import os
import re
import shutil
import sys

import pytest

from fsdl_course.labs.backends.bubblewrap import Bubblewrap
from fsdl_course.labs.inside import system_calls
from fsdl_course.labs.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("bwrap"),
    reason="the sandbox of Linux, bubblewrap, is not here",
)
STUDENT = """
import asyncio, ctypes, os, socket, sqlite3, subprocess, tempfile, threading
kernel = ctypes.CDLL(None, use_errno=True)
def number(call, *arguments):
    result = kernel.syscall(call, *arguments)
    return ctypes.get_errno() if result == -1 else 0
def numbers(calls): return {name: number(call, 0, 0, 0, 0, 0, 0) for name, call in calls.items()}
def family(which):
    try: socket.socket(which).close()
    except OSError as error: return error.errno
    return 0
def families(all_of_them): return [family(which) for which in all_of_them]
def cloned(call, flags):
    child = kernel.syscall(call, flags | 17, 0, 0, 0, 0)  # 17: SIGCHLD
    if child == 0: os._exit(0)
    return ctypes.get_errno() if child == -1 else 0
def needed():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    asyncio.run(asyncio.sleep(0))
    with tempfile.NamedTemporaryFile() as file: file.write(b"x")
    sqlite3.connect("/tmp/table.db").execute("create table t (a)")
    import numpy
    return [subprocess.run(["/usr/bin/true"]).returncode, float((numpy.ones((9, 9)) @ numpy.ones(9)).sum())]
"""
# What lies in no namespace, outlives a call, or makes a new namespace: (x86_64, aarch64).
REFUSED = {
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "unshare": (272, 97),
    "setns": (308, 268),
    "clone3": (435, 435),
    "mount": (165, 40),
    "fsopen": (430, 430),
    "pivot_root": (155, 41),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "syslog": (103, 116),
    "personality": (135, 92),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "name_to_handle_at": (303, 264),
}


@pytest.fixture(scope="module")
def box():
    with Sandbox([STUDENT], Bubblewrap()) as box:
        yield box


def _machine() -> int:
    return list(system_calls.ARCHITECTURES).index(os.uname().machine)


def test_what_lies_in_no_namespace_is_refused_call_by_call(box):
    calls = {name: numbers[_machine()] for name, numbers in REFUSED.items()}
    answers = box.call("numbers", [calls], 5)
    assert answers.value == dict.fromkeys(calls, system_calls.ENOSYS), answers.error


def test_no_call_that_nobody_knows_yet_is_let_through(box):
    # From the first number that all machines share: every call of the last years, and those still to come.
    unknown = set(range(424, 1000)) - set(system_calls.allowed(_machine()).values())
    answers = box.call("numbers", [{str(number): number for number in sorted(unknown)}], 5)
    assert set(answers.value.values()) == {system_calls.ENOSYS}


def test_sockets_are_of_three_families(box):
    named = [1, 2, 10]
    others = [number for number in range(46) if number not in named]
    assert box.call("families", [named], 5).value == [0, 0, 0]
    assert set(box.call("families", [others], 5).value) == {system_calls.EAFNOSUPPORT}


@pytest.mark.parametrize(
    "flag", [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_a_process_may_be_made_but_no_namespace(box, flag):
    clone = system_calls.CLONE[_machine()]
    assert box.call("cloned", [clone, 0], 5).value == 0
    assert box.call("cloned", [clone, flag], 5).value == system_calls.EPERM


def test_what_a_graded_function_needs_is_there(box):
    answer = box.call("needed", [], 10)
    assert answer.value == [0, 81.0], answer.error


def test_each_machine_has_numbers_of_its_own_and_both_have_what_python_needs():
    first, second = system_calls.allowed(0), system_calls.allowed(1)
    assert len(set(first.values())) == len(first) and len(set(second.values())) == len(second)
    assert {
        "read",
        "write",
        "mmap",
        "openat",
        "futex",
        "exit_group",
        "pipe2",
        "wait4",
    } <= first.keys() & second.keys()
    assert first["read"] == 0 and second["read"] == 63
    names = [
        row.split()[0] for row in re.split(r"[;\n]", system_calls.ALLOWED) if row.strip() and "#" not in row
    ]
    assert sorted(first) == sorted(names) and len(first) > 180  # no row of the table is passed over
    refused = {numbers[0] for numbers in REFUSED.values()}, {numbers[1] for numbers in REFUSED.values()}
    assert not refused[0] & set(first.values()) and not refused[1] & set(second.values())
    assert not {"socket", "clone"} & (first.keys() | second.keys())  # these by their arguments


def test_the_filter_fits_the_kernel_and_no_jump_leaves_it():
    for name in system_calls.ARCHITECTURES:
        text = system_calls.filter_program(name)
        assert len(text) % 8 == 0 and len(text) // 8 < 4096
        for place in range(0, len(text), 8):
            code, yes, no = text[place] | text[place + 1] << 8, text[place + 2], text[place + 3]
            if code & 7 == 5:
                assert place // 8 + 1 + max(yes, no) < len(text) // 8
