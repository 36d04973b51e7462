"""Five hundred clients that create and poll, with keys and limits on; then the same where the disk is full, where it is
read-only, and where there are few file descriptors.

    python benchmarks/load.py [--part steady,sweep,full,files,stalled,readonly] [--clients 500] [--seconds 120]

Each client polls its newest job and now and then creates another, with a pause between. `steady` asks a server that
does nothing (`_peer_bare.py`) first, for what its times are measured against. `full` puts the data on a tmpfs of its
own and fills it (where that is not permitted, RLIMIT_FSIZE stands for it), gives the space back and looks whether every
job that was accepted is still told. `stalled` lets 1,100 clients ask for a large file and never read, under a limit of
1,024 descriptors, while others create and poll. `readonly` starts a server on a disk that may not be written, and puts
the data of another on a small ext4 that gives up under load, is mended and mounted again (left out where mounting is
not permitted). Exits with 1 when something is not as it should be.
"""

import argparse
import asyncio
import contextlib
import ctypes
import hashlib
import json
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import cast

from _common import bare

ROUTE = "/v1/ai/text-to-image/runway"
PROMPT = {"prompt": "A serene mountain landscape at sunset", "ratio": "720:720"}
OWNERS = 10
CREATES = 0.1  # share of requests that create
PAUSE = 0.5  # seconds between an answer and the next request
END = b"\r\n\r\n"
CONFIG = """
[models.gen4_image]
engine = "script"
[server]
log_level = "critical"
[limits]
requests_per_second = 100000.0
requests_per_minute = 6000000
max_concurrent = 1000
max_daily = 1000000
max_queued = 100000
max_bytes_daily = 100000000000
"""
MIB = 1 << 20
STALLED, LARGE, GIVEN_UP_SECONDS, ESTABLISHED = 1100, 32 * MIB, 45.0, 1
QUARTERS = 4
LIBC, DEATH_SIGNAL = ctypes.CDLL(None), 1  # the latter of prctl


class Client(asyncio.Protocol):
    """One keep-alive connection that asks, waits for the answer, pauses, and asks again."""

    def __init__(self, load: "Load", key: str, id: str) -> None:
        self.load, self.key = load, key
        self.done = asyncio.get_running_loop().create_future()
        self.id, self.sent, self.creating, self.buffer = id, 0.0, True, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        asyncio.get_running_loop().call_later(random.random() * PAUSE, self.ask)

    def ask(self) -> None:
        if time.monotonic() >= self.load.until or self.transport.is_closing():
            self.transport.close()
            return
        self.creating = not self.id or random.random() < self.load.share
        self.sent, self.buffer = time.perf_counter(), b""
        self.transport.write(request(self.key, None if self.creating else self.id))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(END)
        length = re.search(rb"content-length: (\d+)", head.lower())
        if not found or length is None or len(body) < int(length[1]):
            return
        self.load.took(self.creating, int(head[9:12]), time.perf_counter() - self.sent, body)
        if self.creating and head[9:12] == b"200":
            self.id = json.loads(body)["data"]["task_id"]
            self.load.accepted[self.id] = self.key
        asyncio.get_running_loop().call_later(PAUSE * (0.5 + random.random()), self.ask)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # that it was lost is what counts
        if time.monotonic() < self.load.until:
            self.load.lost += 1
        if not self.done.done():
            self.done.set_result(None)


def request(key: str, id: str | None) -> bytes:
    head = f"x-freepik-api-key: {key}\r\nhost: 127.0.0.1\r\n"
    if id is not None:
        return f"GET {ROUTE}/{id} HTTP/1.1\r\n{head}\r\n".encode()
    body = json.dumps({**PROMPT, "seed": random.randrange(1000)})
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"POST {ROUTE} HTTP/1.1\r\n{head}\r\n{body}".encode()


class Load:
    """What so many clients do for so long, and what they are answered."""

    def __init__(self, port: int, clients: int, seconds: float, known: dict[str, str] | None = None) -> None:
        """`known` are jobs that were accepted before, to be polled."""
        self.share = CREATES
        self.known = list((known or {}).items())
        self.port, self.clients, self.seconds, self.until = port, clients, seconds, 0.0
        self.times: dict[bool, list[float]] = {True: [], False: []}  # of creates, of reads
        self.statuses: Counter[int] = Counter()
        self.words: Counter[str] = Counter()
        self.accepted: dict[str, str] = {}  # id → key
        self.lost = 0
        self.unread = 0  # jobs that were asked for and not told

    def took(self, creating: bool, status: int, seconds: float, body: bytes) -> None:
        self.times[creating].append(seconds)
        self.statuses[status] += 1
        self.unread += status != 200 and not creating
        if status >= 400:
            self.words[f"{status} {body[:200].decode(errors='replace')}"] += 1

    async def run(self) -> "Load":
        loop = asyncio.get_running_loop()
        self.until = time.monotonic() + self.seconds
        made: list[Client] = []
        for number in range(self.clients):
            id, key = self.known[number % len(self.known)] if self.known else ("", f"key{number % OWNERS}")
            client = Client(self, key, id)
            with contextlib.suppress(OSError):
                await loop.create_connection(lambda client=client: client, "127.0.0.1", self.port)
                made.append(client)
        await asyncio.gather(*(client.done for client in made))
        return self

    def quantiles(self, creating: bool) -> tuple[float, float]:
        times = sorted(self.times[creating]) or [0.0]
        return times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000

    def summary(self) -> str:
        reads, creates = self.quantiles(False), self.quantiles(True)
        return (
            f"{sum(self.statuses.values())} answers {dict(sorted(self.statuses.items()))}, {self.lost} connections "
            f"lost; reads p50 {reads[0]:.1f} p99 {reads[1]:.1f} ms; creates p50 {creates[0]:.1f} p99 {creates[1]:.1f}"
        )


class Server:
    """`mutoscope serve` in a process of its own. Its data are on a tmpfs of a size, `mount`, or on the file system in a
    file, `image`, where one is named; only that process sees them, and they are unmounted when it ends."""

    def __init__(self, folder: Path, *, mount: str = "", image: Path | None = None, files: int = 0) -> None:
        self.folder, self.data, self.files = folder, folder / "data", files
        self.data.mkdir(exist_ok=True)
        keys = "".join(
            f'[[keys]]\nname = "owner{n}"\nsha256 = "{hashlib.sha256(f"key{n}".encode()).hexdigest()}"\n'
            for n in range(OWNERS)
        )
        (folder / "mutoscope.toml").write_text(CONFIG + keys)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.command = [sys.executable, "-m", "mutoscope", "serve", "--port", str(self.port), "--data", str(self.data)]
        self.command += ["--config", str(folder / "mutoscope.toml")]
        if mount or image:
            what = f"-o loop {image}" if image else f"-t tmpfs -o size={mount} tmpfs"
            inner = f'mount {what} {self.data} && exec "$@"'
            self.command = ["unshare", "-m", "sh", "-c", inner, "sh", *self.command]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, preexec_fn=self._begin)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                raise SystemExit("the server ended at its start")
            time.sleep(0.05)

    def _begin(self) -> None:
        if self.files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, self.files))
        if sys.platform == "linux":  # whatever ends this script ends the server, and with it what is mounted
            LIBC.prctl(DEATH_SIGNAL, signal.SIGKILL)

    def in_its_mounts(self, *command: str) -> None:
        subprocess.run(["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", *command], check=True)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    @property
    def memory(self) -> float:
        """MiB in use."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / MIB

    @property
    def seen(self) -> Path:
        """The data as the server's process sees them."""
        return Path(f"/proc/{self.process.pid}/root{self.data}")

    def states(self, accepted: dict[str, str]) -> Counter[str]:
        """How many accepted jobs are in which state; the status of the answer stands for those that are not told."""
        return Counter(self.state(id, key) for id, key in accepted.items())

    def state(self, id: str, key: str) -> str:
        wish = urllib.request.Request(f"http://127.0.0.1:{self.port}{ROUTE}/{id}", headers={"x-freepik-api-key": key})
        try:
            with urllib.request.urlopen(wish, timeout=10) as answer:
                return str(json.load(answer)["data"]["status"])
        except urllib.error.HTTPError as error:
            return str(error.code)


@contextlib.contextmanager
def serving(*, mount: str = "", image: Path | None = None, files: int = 0) -> Generator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), mount=mount, image=image, files=files)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


def load(
    server: Server, clients: int, seconds: float, known: dict[str, str] | None = None, share: float = CREATES
) -> Load:
    """`share` of the requests create."""
    done = Load(server.port, clients, seconds, known)
    done.share = share
    return asyncio.run(done.run())


# The parts: each yields what is wrong


def steady(clients: int, seconds: float) -> Iterator[str]:
    with bare() as (_, port):
        yardstick = asyncio.run(Load(port, clients, seconds / 4).run())
        print(f"a server that does nothing: {yardstick.summary()}")
    with serving() as server:
        warm = load(server, clients, seconds / 4)
        memory = [server.memory]
        watching = threading.Thread(target=watch, args=(server, seconds / QUARTERS, memory))
        watching.start()
        done = load(server, clients, seconds)
        watching.join()
        print(f"steady: {done.summary()}; memory at each quarter {', '.join(f'{each:.0f}' for each in memory)} MiB")
        yield from refused(done, {200})
        for creating in (False, True):
            p50, p99 = done.quantiles(creating)
            what, least = "creates" if creating else "reads", yardstick.quantiles(creating)
            print(f"{what}: p50 {p50 / least[0]:.1f} and p99 {p99 / least[1]:.1f} times those of that server")
            if p99 > 10 * p50:
                yield f"p99 of {what} is {p99 / p50:.1f} times p50"
        if memory[-1] > memory[2] * 1.05 + 4:
            yield f"memory grew from {memory[2]:.0f} to {memory[-1]:.0f} MiB in the second half"
        yield from lost(server, dict(random.sample(list((warm.accepted | done.accepted).items()), 200)))


def watch(server: Server, seconds: float, memory: list[float]) -> None:
    """The server's memory, so many seconds apart."""
    for _ in range(QUARTERS):
        time.sleep(seconds)
        memory.append(server.memory)


def sweep(clients: int, seconds: float) -> Iterator[str]:
    """The same while 100,000 old jobs are swept, against the moment before."""
    with serving() as server:
        quiet = load(server, clients, seconds)
        fill(server.data / "mutoscope.db", 100_000)
        (server.folder / "mutoscope.toml").write_text(
            (server.folder / "mutoscope.toml").read_text() + "[retention]\njobs_days = 7\n"
        )
        command = [sys.executable, "-m", "mutoscope", "sweep", "--json", "--data", str(server.data)]
        began = time.monotonic()
        sweeping = subprocess.Popen(
            [*command, "--config", str(server.folder / "mutoscope.toml")], stdout=subprocess.PIPE
        )
        busy = load(server, clients, seconds)
        out, _ = sweeping.communicate()
        swept = json.loads(out)["jobs"]
        print(f"before the sweep: {quiet.summary()}")
        print(f"while {swept} jobs were swept in {time.monotonic() - began:.0f} s: {busy.summary()}")
        yield from refused(busy, {200})
        if swept < 100_000:
            yield f"only {swept} jobs were swept"


def fill(database: Path, count: int) -> None:
    """Old jobs, copied from one that has ended."""
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
        began = int((time.time() - 90 * 86400) * 1000)
        values = {name: name for name in columns} | {"finished": str(began / 1000), "created": str(began / 1000)}
        values["id"] = (
            f"(SELECT substr(h,1,8)||'-'||substr(h,9,4)||'-7'||substr(r,1,3)||'-a'||substr(r,4,3)||'-'||substr(r,7,12) "
            f"FROM (SELECT printf('%012x', {began} + n) AS h, lower(hex(randomblob(9))) AS r))"
        )
        db.execute(
            f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}), "
            "one AS (SELECT * FROM jobs WHERE state = 'succeeded' LIMIT 1) "
            f"INSERT INTO jobs ({', '.join(columns)}) SELECT {', '.join(values.values())} FROM one, n"
        )
        db.commit()


def full(clients: int, seconds: float) -> Iterator[str]:
    mounted = may_mount()
    with serving(mount="256m" if mounted else "") as server:
        before = load(server, clients, seconds / 4)
        ballast = server.seen / "ballast"
        if mounted:
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(1 << 16)):
                    pass
        else:
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1 << 12, resource.RLIM_INFINITY))
        # The journal has some megabytes of its own, which are filled first.
        during = load(server, clients, seconds, before.accepted, share=0.7)
        if mounted:
            ballast.unlink()
        else:
            resource.prlimit(
                server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
        print(f"full ({'a tmpfs' if mounted else 'RLIMIT_FSIZE'}): {during.summary()}")
        show(during)
        yield from refused(during, {200, 503})
        if not during.statuses[503]:
            yield "nothing was refused: the disk was not full"
        time.sleep(2)
        after = load(server, clients, seconds / 4)
        print(f"with space again: {after.summary()}")
        yield from refused(after, {200})
        yield from lost(server, before.accepted | during.accepted | after.accepted)


def files(clients: int, seconds: float) -> Iterator[str]:
    with serving(files=1024) as server:
        many = load(server, max(clients, 1100), seconds)  # more than there are descriptors for
        print(f"1,024 descriptors and {max(clients, 1100)} clients: {many.summary()}")
        show(many)
        yield from refused(many, {200, 503})
        after = load(server, clients, seconds / 4)
        print(f"and then: {after.summary()}")
        yield from refused(after, {200})
        yield from lost(server, many.accepted | after.accepted)


def stalled(clients: int, seconds: float) -> Iterator[str]:
    """Readers of a signed link who never read, more than there are descriptors for; the others are answered meanwhile,
    and those who never read are let go in the end."""
    with serving(files=1024) as server:
        path = large_file(server)
        memory = server.memory
        held = asyncio.run(stall(server.port, path, STALLED))
        print(
            f"1,024 descriptors and {STALLED} readers who never read: {dict(sorted(held.statuses.items()))}; "
            f"{len(list(Path(f'/proc/{server.process.pid}/fd').iterdir()))} descriptors, "
            f"memory {memory:.0f}, then {server.memory:.0f} MiB"
        )
        if held.statuses[0] or held.statuses.keys() - {0, 200, 503}:
            yield f"not every reader was answered: {dict(held.statuses)}"
        many = load(server, min(clients, 200), max(seconds / 4, 2))
        print(f"while they stay: {many.summary()}")
        show(many)
        yield from refused(many, {200})
        if many.lost:
            yield f"{many.lost} connections were lost while readers stalled"
        began = time.monotonic()
        while (left := held.connected()) and time.monotonic() - began < GIVEN_UP_SECONDS:
            time.sleep(0.5)
        print(f"{left} of them are left {time.monotonic() - began:.0f} s later")
        if left:
            yield f"{left} readers who never read were not given up"
        held.close()
        yield from lost(server, many.accepted)


class Stalled:
    """Connections whose answers nobody reads beyond their first bytes."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.statuses: Counter[int] = Counter()

    def connected(self) -> int:
        """Those that the server has not closed, by the system's own table: to read would be to take part."""
        return sum(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED for each in self.sockets)

    def close(self) -> None:
        for each in self.sockets:
            each.close()


async def stall(port: int, path: str, count: int) -> Stalled:
    held, loop = Stalled(), asyncio.get_running_loop()
    for _ in range(count):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.setblocking(False)
        try:
            async with asyncio.timeout(10):
                await loop.sock_connect(reader, ("127.0.0.1", port))
                await loop.sock_sendall(reader, f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
                head = await loop.sock_recv(reader, 64)
        except (OSError, TimeoutError):
            head = b""
        status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
        held.statuses[status] += 1
        if status == 200:
            held.sockets.append(reader)
        else:
            reader.close()
    return held


def large_file(server: Server) -> str:
    """Send one ahead; the path and query of the link to it."""
    headers = {"x-freepik-api-key": "key0", "content-type": "application/json"}
    body = json.dumps({"files": [{"content_type": "image/png"}]}).encode()
    url = f"http://127.0.0.1:{server.port}/v1/ai/uploads/request-url"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        [slot] = json.load(answer)["files"]
    file = b"\x89PNG\r\n\x1a\n" + bytes(LARGE)
    with urllib.request.urlopen(urllib.request.Request(slot["upload_url"], file, method="PUT"), timeout=60):
        pass
    return str(slot["asset_url"]).partition(str(server.port))[2]


def readonly(clients: int, seconds: float) -> Iterator[str]:
    """A server does not start where it cannot write, and says why; one that works goes on reading when its disk does
    not take anything any more. Nothing is lost by either."""
    if not may_mount():
        print("readonly: left out, for want of the right to mount")
        return
    with serving() as server:
        done = load(server, min(clients, 50), seconds / 8)
        server.stop()
        inner = f'mount --bind {server.data} {server.data} && mount -o remount,bind,ro {server.data} && exec "$@"'
        refusing = subprocess.run(
            ["unshare", "-m", "sh", "-c", inner, "sh", *server.command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        print(f"readonly: exit code {refusing.returncode}: {refusing.stderr.strip().splitlines()[-1:]}")
        if refusing.returncode == 0 or "Traceback" in refusing.stderr:
            yield "a server that cannot write did not refuse to start in words"
        server.start()
        yield from lost(server, done.accepted)
    yield from given_up(clients, seconds)


def given_up(clients: int, seconds: float) -> Iterator[str]:
    """The disk under a server turns read-only while it works, as ext4 does when it meets an error."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "disk"
        if told := no_disk(image):
            print(f"readonly, while it works: left out: {told}")
            return
        with serving(image=image) as server:
            before = load(server, clients, seconds / 4)
            # As after an error: whoever has a file open for writing keeps it, and every write fails with EROFS.
            server.in_its_mounts("mount", "-o", "remount,abort", str(server.data))
            during = load(server, clients, seconds / 2, before.accepted)
            print(f"readonly, while it works: {during.summary()}")
            show(during)
            yield from refused(during, {200, 503})
            if not during.statuses[503]:
                yield "nothing was refused: the disk was written"
            if during.unread:
                yield f"{during.unread} times nothing was told of a job that had been accepted"
            yield from lost(server, before.accepted)
            code = server.stop()
            print(f"readonly, while it works: stopped with exit code {code}")
            if code:
                yield f"the server ended with {code}"
            print(f"readonly, while it works: {repair(image)}")
            server.start()
            yield from lost(server, before.accepted | during.accepted)
            after = load(server, clients, seconds / 4)
            print(f"readonly, and mended: {after.summary()}")
            yield from refused(after, {200})
            yield from lost(server, before.accepted | during.accepted | after.accepted)


def no_disk(image: Path) -> str:
    """Make a file a disk of its own; says why where that cannot be."""
    for program in ("mkfs.ext4", "fsck.ext4", "losetup", "nsenter"):
        if shutil.which(program) is None:
            return f"the program {program} is missing"
    with image.open("wb") as file:
        file.truncate(256 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    tried = image.with_name("tried")
    tried.mkdir()
    inner = f"mount -o loop {image} {tried}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", inner], capture_output=True, text=True, check=False)
    wait_for(image)
    return "" if done.returncode == 0 else f"no loop device can be mounted ({done.stderr.strip()})"


def wait_for(image: Path) -> None:
    """Until nobody uses it any more, which follows from the end of whoever had mounted it."""
    until = time.monotonic() + 30
    while subprocess.run(["losetup", "-j", str(image)], capture_output=True, check=True).stdout:
        if time.monotonic() > until:
            raise SystemExit(f"{image} is still in use")
        time.sleep(0.05)


def repair(image: Path) -> str:
    wait_for(image)
    done = subprocess.run(["fsck.ext4", "-f", "-y", str(image)], capture_output=True, text=True, check=False)
    if done.returncode > 1:  # 1: mended
        raise SystemExit(f"fsck.ext4 ended with {done.returncode}: {done.stdout}{done.stderr}")
    return f"fsck.ext4 ended with {done.returncode}: {done.stdout.strip().splitlines()[-1]}"


def refused(done: Load, allowed: set[int]) -> Iterator[str]:
    for status in done.statuses.keys() - allowed:
        example = next((word for word in done.words if word.startswith(str(status))), "")
        yield f"{done.statuses[status]} answers were {status}, for example {example}"


def lost(server: Server, accepted: dict[str, str]) -> Iterator[str]:
    """No job of these fails by itself: one that did was made to."""
    wrong = server.states(accepted)
    for state in ("CREATED", "IN_PROGRESS", "COMPLETED"):
        del wrong[state]
    if wrong:
        yield f"of {len(accepted)} accepted jobs, not all are told as they should be: {dict(wrong)}"


def show(done: Load) -> None:
    for words, times in done.words.most_common(3):
        print(f"  {times} times: {words}")


PARTS = {"steady": steady, "sweep": sweep, "full": full, "files": files, "stalled": stalled, "readonly": readonly}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=",".join(PARTS))
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=120.0)
    options = parser.parse_args()
    wrong: list[str] = []
    for name in options.part.split(","):
        if name not in PARTS:
            parser.error(f"no such part: {name}; there are {', '.join(PARTS)}")
        wrong += [f"{name}: {each}" for each in PARTS[name](options.clients, options.seconds)]
    print("\n".join(wrong) or "as it should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    most = min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    main()
