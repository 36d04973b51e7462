"""What `make demo` asks, recorded at a second mutoscope and replayed with the network off: the same files, to the byte.

    python benchmarks/replay_demo.py

The second mutoscope renders; the gateway before it has an account for Freepik's API and one for Runway's and records.
Then both are ended, and a gateway with neither accounts nor keys replays: in a network of its own that has nothing but
loopback, where the kernel lets one make such. Every file and every webhook is looked into, as the demo does. Exits
with 1 where anything is not as asked or a byte differs.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # demo.py is a script at the root
import demo

from _common import table

ACCOUNTS = """
[credentials]
enabled = false  # a signature tells when it was made

[accounts.freepik]
wire = "freepik"
key = "any"
base_url = "{vendor}"

[accounts.runway]
wire = "runway"
key = "any"
base_url = "{vendor}"
"""
ALONE = "[credentials]\nenabled = false\n"
INTERFACE, FLAGS, UP = b"lo", 0x8914, 0x1  # SIOCSIFFLAGS


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mutoscope-replay-") as name:
        folder = Path(name)
        with demo.serving(folder / "vendor") as vendor:
            recorded = asked(folder, "record", ACCOUNTS.format(vendor=vendor))
        command = [sys.executable, __file__, "--replay", str(folder)]
        walled = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "--net"]
        alone = shutil.which("unshare") and subprocess.run([*walled, "true"], check=False).returncode == 0
        done = subprocess.run([*walled, *command] if alone else command, check=False)
        rows = [(each, digest(folder / "record" / each), digest(folder / "replay" / each)) for each in files()]
    table("", ["file", "recorded", "replayed"], *rows)
    same = all(before == after for _, before, after in rows)
    network = "without any network" if alone else "with nobody at the other end (a network of its own was not allowed)"
    print(f"{'All bytes equal' if same else 'NOT THE SAME'}, {network}.")
    return 0 if same and recorded and done.returncode == 0 else 1


def replay(folder: Path) -> int:
    """The second half, in a process of its own."""
    if [name for _, name in socket.if_nameindex()] == ["lo"] and os.getuid() == 0:
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, FLAGS, struct.pack("16sh", INTERFACE, UP))
    return 0 if asked(folder, "replay", ALONE) else 1


def asked(folder: Path, mode: str, config: str) -> bool:
    """All that the demo asks, of a server that records or replays. Whether all came as asked."""
    began = time.monotonic()
    demo.target, demo.PATIENCE_SECONDS = folder / mode, 900.0
    demo.target.mkdir()
    (demo.target / "lake.jpg").write_bytes(picture := demo.draw_picture())
    (settings := folder / f"{mode}.toml").write_text(config)
    receiver, wanted = demo.Receiver(picture), demo.requests()
    try:
        more = ("--config", str(settings), f"--{mode}", str(folder / "tapes"))
        verified = demo.play(wanted, folder / f"{mode}-data", receiver, *more)
    finally:
        receiver.close()
    demo.console.print(demo.results(wanted, verified))
    for each in wanted:
        for fault in each.faults:
            demo.console.print(f"NOT AS ASKED: {each.title}: {fault}")
    print(f"{mode}: {time.monotonic() - began:.1f} s", flush=True)
    return not any(each.faults for each in wanted)


def files() -> list[str]:
    return [each.file for each in demo.requests()]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else f"missing: {path.parent.name}"


if __name__ == "__main__":
    sys.exit(replay(Path(sys.argv[2])) if sys.argv[1:2] == ["--replay"] else main())
