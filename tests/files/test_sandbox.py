"""The sandbox around children that open strangers' files; what they keep out is tried where the children are tested."""

import errno
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mutoscope.files import _sandbox as sandbox

TABLES = (sandbox.NETWORK, sandbox.STARTS, sandbox.OTHERS, sandbox.FILES, sandbox.SYSTEM)
HEADERS = Path("/usr/include")
NUMBERS = {
    "x86_64": HEADERS / "x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": HEADERS / "asm-generic/unistd.h",  # which is that of ARM, whatever this machine is
}
THREAD, PROCESS = 0x3D0F00, 0x1200011
"""The flags by which the C library begins either."""
LATER = {"fchmodat2"}
"""Newer than Linux 6.1: older headers do not have it."""


@pytest.mark.parametrize("machine", NUMBERS)
def test_calls_have_the_kernel_s_own_numbers(machine: str) -> None:
    header = NUMBERS[machine]
    if not header.exists():
        pytest.skip(f"needs {header}: apt install linux-libc-dev")
    pairs = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", header.read_text())
    published = {name: int(number) for name, number in pairs}
    column = sandbox.ARCHITECTURES[machine][0]
    ours = {name: numbers[column] for table in TABLES for name, numbers in table.items()}
    ours["seccomp"] = sandbox.SECCOMP[column]
    lacking = {name for name in LATER if name not in published}
    assert {name: published.get(name) for name in ours if name not in lacking} == {
        name: number for name, number in ours.items() if name not in lacking
    }


def test_no_call_is_in_two_tables() -> None:
    names = [name for table in TABLES for name in table]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("machine", "symbol"), [("x86_64", "X86_64"), ("aarch64", "AARCH64")])
def test_machines_have_the_kernel_s_own_numbers(machine: str, symbol: str) -> None:
    audit, elf = HEADERS / "linux/audit.h", HEADERS / "linux/elf-em.h"
    if not (audit.exists() and elf.exists()):
        pytest.skip("needs the kernel's headers: apt install linux-libc-dev")
    assert f"#define AUDIT_ARCH_{symbol}\t(EM_{symbol}|__AUDIT_ARCH_64BIT|__AUDIT_ARCH_LE)" in audit.read_text()
    marks = re.findall(r"#define __AUDIT_ARCH_(?:64BIT|LE)\s+(0x[0-9a-f]+)", audit.read_text())
    number = re.search(rf"#define EM_{symbol}\s+(\d+)", elf.read_text())
    assert number is not None
    assert sandbox.ARCHITECTURES[machine][1] == int(number[1]) + sum(int(each, 16) for each in marks)


def judged(rules: list[sandbox.Rule], machine: int, number: int, argument: int = 0) -> int:
    """What a filter answers: classic BPF, as far as these programs go."""
    shown = {sandbox.NUMBER: number, sandbox.ARCHITECTURE: machine, sandbox.FIRST_ARGUMENT: argument}
    at, held = 0, 0
    while True:
        what, yes, no, value = rules[at]
        at += 1
        if what == sandbox.GIVE:
            return value
        if what == sandbox.LOAD:
            held = shown[value]
        else:
            holds = {sandbox.EQUAL: held == value, sandbox.AT_LEAST: held >= value, sandbox.HAS: bool(held & value)}
            at += yes if holds[what] else no


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("machine", sandbox.ARCHITECTURES)
def test_a_filter_refuses_what_is_in_its_tables_and_nothing_else(machine: str, threads: bool) -> None:
    """On either machine, this one or not: the program is run here by hand."""
    column, itself = sandbox.ARCHITECTURES[machine]
    rules = sandbox.filter_for(machine, TABLES, threads=threads)
    listed = {numbers[column]: name for table in TABLES for name, numbers in table.items()}
    assert len(rules) <= 4096, "more than the kernel takes"
    for number in range(500):
        expected = sandbox.REFUSE if number in listed else sandbox.ALLOW
        if threads and listed.get(number) == "clone3":
            expected = sandbox.ABSENT
        assert judged(rules, itself, number) == expected, listed.get(number, number)
    assert judged(rules, itself, sandbox.FOREIGN + 41) == sandbox.REFUSE
    assert judged(rules, 0x40000003, 1) == sandbox.REFUSE, "a program of 32 bits"
    clone = next(number for number, name in listed.items() if name == "clone")
    assert clone is not None
    assert judged(rules, itself, clone, THREAD) == (sandbox.ALLOW if threads else sandbox.REFUSE)
    assert judged(rules, itself, clone, PROCESS) == sandbox.REFUSE


THREADS_FIRST = """
import socket, sys, threading
from mutoscope.files import _sandbox as sandbox
asked, told = threading.Event(), []
def late():
    asked.wait()
    told.append(sandbox.refused(socket.socket))
thread = threading.Thread(target=late)
thread.start()
assert sandbox.keep_privileges()
sandbox.shut_calls(sandbox.NETWORK, threads=True)
asked.set()
thread.join()
print(told[0])
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in sandbox.ARCHITECTURES,
    reason="seccomp stands on Linux, on x86-64 and 64-bit ARM, only",
)
def test_threads_that_were_there_before_are_shut_in_too() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS_FIRST], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_what_is_refused_looks_like_it() -> None:
    assert (sandbox.REFUSE & 0xFFFF, sandbox.ABSENT & 0xFFFF) == (errno.EPERM, errno.ENOSYS)
