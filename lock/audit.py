"""Asks whether a locked package has a known vulnerability; fails when one has, and when nobody could be asked.

python lock/audit.py PIP_AUDIT
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCKS = ("dev.txt", "tools.txt")  # run.txt is a part of the first
SERVICES = ("pypi", "osv")
TIMEOUT_SECONDS = 300
FOUND, UNASKED = 1, 2  # exit codes


def main(tool: str) -> int:
    told = "no service was asked"
    for service in SERVICES:
        command = [tool, "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
        command += ["--vulnerability-service", service, *(part for lock in LOCKS for part in ("-r", str(HERE / lock)))]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)  # noqa: S603 (the command is ours)
        except (OSError, subprocess.TimeoutExpired) as error:
            told = f"{service}: {type(error).__name__}"
            continue
        code, told = verdict(done.stdout, service)
        if code != UNASKED:
            print(f"[audit] {told}")
            return code
    print(f"[audit] {told}. This needs the network once; nothing is known about the packages.", file=sys.stderr)
    return UNASKED


def verdict(report: str, service: str) -> tuple[int, str]:
    """What a report of pip-audit comes to. It calls an audit that could ask nobody a success; we do not."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return UNASKED, f"{service} could not be asked"
    found = [
        f"{each['name']} {each['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'no release'}"
        for each in packages
        for flaw in each.get("vulns", ())
    ]
    if found:
        return FOUND, "\n[audit] ".join(found)
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    if skipped or not packages:
        return UNASKED, f"{service} told nothing about {len(skipped)} of {len(packages)} packages"
    return 0, f"none of {len(packages)} packages has a vulnerability that {service} knows"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
