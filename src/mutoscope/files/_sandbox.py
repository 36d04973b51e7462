"""What a child that opens strangers' files gives up for good before it does: Linux lets any process do that.

`_probe_child.py`, which runs by path and isolated, loads this by path: it imports nothing of ours.
"""

import ctypes
import mmap
import os
import platform
import socket
import struct
import sys
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
LINUX = sys.platform == "linux"
NO_NEW_PRIVILEGES = 38  # of prctl

# -- calls: seccomp -------------------------------------------------------------------
#
# The numbers are the kernel's own, as its headers publish them: for x86-64 arch/x86/entry/syscalls/syscall_64.tbl
# (<asm/unistd_64.h>), for 64-bit ARM include/uapi/asm-generic/unistd.h, which is scripts/syscall.tbl since 6.11.
# tests/files/test_sandbox.py holds them against the headers of the machine that it runs on.

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine → column of the tables below, and AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64 of <linux/audit.h>: the number of
the machine in ELF (62, 183) with the marks for 64 bits and little-endian."""

Calls = Mapping[str, tuple[int | None, int | None]]

NETWORK: Calls = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "accept4": (288, 242),
    "sendmmsg": (307, 269),
}
STARTS: Calls = {
    "clone": (56, 220),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "kill": (62, 129),
    "setrlimit": (160, 164),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "execveat": (322, 281),
    "clone3": (435, 435),
}
"""What whoever runs a command needs: to start it, to bound it and to end it."""
OTHERS: Calls = {
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
}
"""What is done to other processes."""
FILES: Calls = {
    "truncate": (76, 45),
    "rename": (82, None),
    "mkdir": (83, None),
    "rmdir": (84, None),
    "link": (86, None),
    "unlink": (87, None),
    "symlink": (88, None),
    "chmod": (90, None),
    "chown": (92, None),
    "lchown": (94, None),
    "mknod": (133, None),
    "mkdirat": (258, 34),
    "mknodat": (259, 33),
    "fchownat": (260, 54),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "fchmodat": (268, 53),
    "renameat2": (316, 276),
    "fchmodat2": (452, 452),
}
"""What changes a folder, or a file by its name. Opening and writing is not among it."""
SYSTEM: Calls = {
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
}
"""What only administrators do, or those who look for a hole in the kernel."""

SECCOMP = (317, 277)
FILTER, ALL_THREADS = 1, 1  # its operation, and a flag
AS_FAST_AS_BEFORE = 4  # another: before 5.16, Linux slows down whom it filters, against Spectre; that is for scripts
REFUSE, ABSENT, ALLOW = 0x00050001, 0x00050026, 0x7FFF0000  # EPERM, ENOSYS, and as it is
FOREIGN = 0x40000000  # from here on, x86-64 has the calls of a second table
NEW_THREAD = 0x00010000  # CLONE_THREAD
LOAD, EQUAL, AT_LEAST, HAS, GIVE = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where they are in what a filter is shown

Rule = tuple[int, int, int, int]


def shut_calls(*tables: Calls, threads: bool = False) -> None:
    """From here on the calls of these tables fail with EPERM, in every thread. With `threads`, more may be begun."""
    machine = platform.machine()
    if not LINUX or machine not in ARCHITECTURES or sys.maxsize < 1 << 32:
        return
    rules = filter_for(machine, tables, threads=threads)
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *rule) for rule in rules))
    told = struct.pack("@HP", len(rules), ctypes.addressof(program))
    number = SECCOMP[ARCHITECTURES[machine][0]]
    if call(number, FILTER, ALL_THREADS | AS_FAST_AS_BEFORE, told) != 0:  # before 4.17
        call(number, FILTER, ALL_THREADS, told)


def filter_for(machine: str, tables: Collection[Calls], *, threads: bool) -> list[Rule]:
    """The program that the kernel runs at each call: what to do, how far to jump if so and if not, and a number."""
    column, architecture = ARCHITECTURES[machine]
    rules: list[Rule] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (GIVE, 0, 0, REFUSE),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, FOREIGN),
        (GIVE, 0, 0, REFUSE),
    ]
    for name, numbers in chain.from_iterable(table.items() for table in tables):
        number = numbers[column]
        if number is None:
            continue
        if threads and name == "clone":
            rules += [
                (EQUAL, 0, 4, number),
                (LOAD, 0, 0, FIRST_ARGUMENT),
                (HAS, 0, 1, NEW_THREAD),
                (GIVE, 0, 0, ALLOW),
                (GIVE, 0, 0, REFUSE),
            ]
        else:
            # The C library begins a thread by the older call where the newer, whose flags no filter sees, is absent.
            answer = ABSENT if threads and name == "clone3" else REFUSE
            rules += [(EQUAL, 0, 1, number), (GIVE, 0, 0, answer)]
    return [*rules, (GIVE, 0, 0, ALLOW)]


# -- files: Landlock ------------------------------------------------------------------

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # on every architecture
BENEATH = 1  # the type of a rule
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # Landlock's version → how many rights over files it knows; 16 from 5 on
EXECUTE, WRITE_FILE, READ_FILE, READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_FILE, MAKE_FILE, TRUNCATE = 1 << 5, 1 << 8, 1 << 14
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE  # the others are about folders
READ = READ_FILE | READ_FOLDER
WRITE = READ | WRITE_FILE | TRUNCATE | REMOVE_FILE | MAKE_FILE


def shut_files(open_ones: Collection[tuple[str | Path, int]]) -> None:
    """No file but these and what is in these folders, each with its rights; where the kernel knows how, no TCP and no
    signal beyond this process. Only the thread that calls this is shut in, and those that it begins."""
    version = call(CREATE_RULESET, None, 0, 1) if LINUX else 0
    if version < 1:
        return
    known = (1 << RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("=QQQ", known, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = call(CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return
    for path, rights in open_ones:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:  # not here
            continue
        within = known if os.path.isdir(path) else known & OF_FILES  # noqa: PTH112 (a child of few imports)
        call(ADD_RULE, ruleset, BENEATH, struct.pack("=Qi", rights & within, opened), 0)
        os.close(opened)
    call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


# -- both -----------------------------------------------------------------------------

LIBRARIES = ("/usr", "/lib", "/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache", "/dev/urandom")
"""What libraries read when they are loaded."""
MACHINE = ("/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat")
"""What they read when they ask what machine this is."""
NOTHING = (os.devnull, READ | WRITE_FILE)


def shut_in(open_ones: Collection[tuple[str | Path, int]]) -> None:
    """No network, no other process, no file but these, the program's own and its libraries'; threads may be begun."""
    if keep_privileges():
        program = (sys.prefix, sys.base_prefix, *sys.path, *LIBRARIES)
        shut_files([*open_ones, *((path, READ) for path in program)])
        shut_calls(NETWORK, STARTS, OTHERS, FILES, SYSTEM, threads=True)


def keep_privileges() -> bool:
    """Promise never to gain any, which the kernel wants before it lets a process shut itself in."""
    return LINUX and LIBC.prctl(NO_NEW_PRIVILEGES, *map(word, (1, 0, 0, 0))) == 0


def call(number: int, *values: int | bytes | None) -> int:
    """A system call that the C library has no name for."""
    return LIBC.syscall(ctypes.c_long(number), *map(word, values))


def word(value: int | bytes | None) -> Any:
    return ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value)


def standing(path: str | Path, memory: int) -> dict[str, bool]:
    """Which walls stand here, found by walking against each one. This path is open, and so much memory there may be."""
    return {
        "network": refused(socket.socket),
        "files": refused(lambda: look_in("/")) and not refused(lambda: look_in(path)),
        "processes": refused(start_and_stop),
        "memory": refused(lambda: mmap.mmap(-1, 2 * memory).close()),
    }


def refused(act: Callable[[], object]) -> bool:
    """Whether there is a wall in the way."""
    try:
        act()
    except (OSError, MemoryError):
        return True
    return False


def look_in(path: str | Path) -> None:
    os.close(os.open(path, os.O_RDONLY))


def start_and_stop() -> None:
    """A process that does nothing."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
