"""The three-node rolling upgrade, by hactl and by the same work as an Ansible playbook, in turn, in one lab.

    python -m tests.bench.upgrade [--runs 3] [--lab NAME] [--rate 50]

Both take each node out of both balancers, upgrade the package, want five good health checks a second apart, bring it
back and settle as long. A client that is neither sends requests to the VIP all the while; its failures are
printed too. Needs root and a machine that hosts the lab; Ansible, with its collection for HAProxy, goes into an
environment of its own.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from hactl.lab import Lab
from tests.lab.acting import SERVERS, set_back
from tests.lab.load.watching import load

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SETTLE = 2  # seconds after each node, as the playbook of hactl has it
GRANT = "hactl ALL=(ALL) NOPASSWD: ALL\n"


def ansible(folder: Path) -> Path:
    """ansible-playbook in an environment of its own, made when it is not there."""
    program = folder / "bin" / "ansible-playbook"
    if not program.exists():
        print(f"Installing ansible into {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q", "ansible"], check=True)
    return program


def hosts(lab: Lab, work: Path) -> Path:
    names = {"app": tuple(SERVERS), "lb": ("lb1", "lb2")}
    lines = []
    for group, members in names.items():
        lines.append(f"[{group}]")
        for name in members:
            extra = f" server={SERVERS[name]}" if name in SERVERS else ""
            lines.append(f"{name} address={lab.spec.node(name).address}{extra}")
    (work / "hosts").write_text("\n".join(lines) + "\n")
    (work / "ansible.cfg").write_text(
        f"[defaults]\ninterpreter_python = /usr/bin/python3\n[ssh_connection]\npipelining = True\n"
        f"ssh_args = -F {lab.paths.ssh_config} -o ControlMaster=auto -o ControlPersist=60s"
        f" -o ControlPath={work}/cm-%C\n"
    )
    return work / "hosts"


def by_ansible(lab: Lab, work: Path, version: str) -> list[str]:
    program = ansible(work / "ansible")
    env = [f"ANSIBLE_CONFIG={work}/ansible.cfg", f"ANSIBLE_HOME={work}/home"]
    facts = ["-e", f"to={version}", "-e", f"settle={SETTLE}"]
    return ["env", *env, str(program), "-i", str(hosts(lab, work)), *facts, str(HERE / "site.yml")]


def by_hactl(lab: Lab, _work: Path, version: str) -> list[str]:
    hactl = [sys.executable, "-m", "hactl", "-i", str(lab.paths.inventory)]
    return [*hactl, "upgrade", "--to", version, "--yes"]


def timed(words: list[str], log: Path) -> float:
    with log.open("wb") as out:
        began = time.monotonic()
        done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
        seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{' '.join(words[:8])} ... ended with {done.returncode}:\n{log.read_text()[-3000:]}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lab", default="bench")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second meanwhile")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/hactl-bench-upgrade"))
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    chosen = parser.parse_args()
    if not re.fullmatch("[a-z][a-z0-9-]{0,19}", chosen.lab) or os.geteuid() != 0:
        sys.exit("The lab needs root, and a name of lower-case letters, digits and dashes.")
    chosen.work.mkdir(parents=True, exist_ok=True)
    lab = Lab(chosen.lab)
    lab.up()
    for name in SERVERS:  # Ansible's modules need more than hactl's one command a rule
        lab.exec(name, ["tee", "/etc/sudoers.d/bench"], stdin=GRANT)
    found: dict[str, list[float]] = {"hactl": [], "ansible": []}
    for _ in range(chosen.runs):
        for name, words in (("ansible", by_ansible), ("hactl", by_hactl)):
            set_back(lab)
            argv = words(lab, chosen.work, "1.1.0")
            with load(lab, chosen.rate) as report:
                seconds = timed(argv, chosen.work / f"{name}.log")
            found[name].append(seconds)
            print(f"{name:8}{seconds:8.1f} s, {report['failed']} of {report['sent']} requests failed", flush=True)
    medians = {name: statistics.median(times) for name, times in found.items()}
    print(f"hactl takes {medians['hactl'] / medians['ansible']:.2f} of Ansible's time ({medians})")
    for name in SERVERS:
        lab.exec(name, ["rm", "/etc/sudoers.d/bench"])
    if not chosen.keep:
        lab.down(now=True, disks=True)


if __name__ == "__main__":
    main()
