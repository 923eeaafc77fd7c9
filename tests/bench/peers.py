"""Other programs that ask many machines at once, each set up as its own manual says for many hosts.

A peer is a function from the peers' Python, a farm, a number of nodes and a folder to the words to run.
"""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.farm import Farm

PACKAGES = ("ansible-core", "pyinfra", "fabric", "parallel-ssh")
_COMMAND = "cat /proc/loadavg /proc/uptime"
Peer = Callable[[Path, Farm, int, Path], list[str]]


def environment(folder: Path) -> Path:
    """The peers' own virtual environment, made when it is not there: its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Installing {', '.join(PACKAGES)} into {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


def _ansible(module: str) -> Peer:
    def words(python: Path, served: Farm, count: int, work: Path) -> list[str]:
        hosts = work / "hosts"
        hosts.write_text("\n".join(served.addresses(count)) + "\n")
        ssh = f"-o UserKnownHostsFile={served.known_hosts} -o ControlMaster=auto -o ControlPersist=60s"
        (work / "ansible.cfg").write_text(
            f"[defaults]\nforks = 64\nremote_user = {getpass.getuser()}\nremote_port = {served.port}\n"
            f"private_key_file = {served.key}\ninterpreter_python = /usr/bin/python3\n"
            f"[ssh_connection]\npipelining = True\nssh_args = {ssh} -o ControlPath={work}/cm-%C\n"
        )
        arguments = ["-a", _COMMAND] if module == "raw" else []
        environ = [f"ANSIBLE_CONFIG={work}/ansible.cfg", f"ANSIBLE_HOME={work}/home"]
        # Every run is cold: connections that the last one kept open are closed before.
        cold = f'rm -rf {work}/cm-*; exec "$@"'
        run = [str(python.with_name("ansible")), "-i", str(hosts), "all", "-m", module, *arguments]
        return ["env", *environ, "sh", "-c", cold, "sh", *run]

    return words


def _pyinfra(python: Path, served: Farm, count: int, work: Path) -> list[str]:
    common = {
        "ssh_user": getpass.getuser(),
        "ssh_port": served.port,
        "ssh_key": str(served.key),
        "ssh_known_hosts_file": str(served.known_hosts),
        "ssh_strict_host_key_checking": "yes",
    }
    hosts = work / "inventory.py"
    hosts.write_text(f"nodes = [(host, {common!r}) for host in {served.addresses(count)!r}]\n")
    return [str(python.with_name("pyinfra")), "-y", str(hosts), "exec", "--", _COMMAND]


_FABRIC = """
import sys
from fabric import Config, ThreadingGroup
user, port, key, *hosts = sys.argv[1:]
config = Config(overrides={"load_ssh_configs": False})
group = ThreadingGroup(*hosts, user=user, port=int(port), config=config,
    connect_kwargs={"key_filename": key, "look_for_keys": False, "allow_agent": False})
print(len(group.run("COMMAND", hide=True)))
"""


def _fabric(python: Path, served: Farm, count: int, work: Path) -> list[str]:
    script = work / "with_fabric.py"
    script.write_text(_FABRIC.replace("COMMAND", _COMMAND))
    login = [getpass.getuser(), str(served.port), str(served.key)]
    return [str(python), str(script), *login, *served.addresses(count)]


_PSSH = """
import sys
from pssh.clients import ParallelSSHClient
user, port, key, *hosts = sys.argv[1:]
client = ParallelSSHClient(hosts, user=user, port=int(port), pkey=key, pool_size=64, allow_agent=False)
output = client.run_command("COMMAND")
client.join(output)
print(sum(one.exit_code == 0 for one in output))
"""


def _parallel_ssh(python: Path, served: Farm, count: int, work: Path) -> list[str]:
    script = work / "with_parallel_ssh.py"
    script.write_text(_PSSH.replace("COMMAND", _COMMAND))
    login = [getpass.getuser(), str(served.port), str(served.key)]
    return [str(python), str(script), *login, *served.addresses(count)]


PEERS: dict[str, Peer] = {
    "ansible-raw": _ansible("raw"),
    "ansible-setup": _ansible("setup"),
    "pyinfra": _pyinfra,
    "fabric": _fabric,
    "parallel-ssh": _parallel_ssh,
}
