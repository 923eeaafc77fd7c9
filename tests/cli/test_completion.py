"""Completion as shells really do it: each shell sources the printed script and is asked to complete a line."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.driving import LAB, environment, hactl, modules, script

NODES = ["lb1", "lb2", "app1", "app2", "app3", "db1", "db2", "db3", "backup1", "backup2"]

# (line, what must be offered, what must not)
LINES = [
    ("hactl sta", {"status"}, {"check"}),
    ("hactl completion ", {"bash", "zsh", "fish"}, {"status"}),
    ("hactl status --limit ap", {"app1", "app2", "app3"}, {"db1"}),
    ("hactl status --limit role:d", {"role:db"}, {"role:app", "db1"}),
    ("hactl status --limit role:db,site:", {"role:db,site:east", "role:db,site:west"}, {"role:db,db1"}),
    ("hactl site evacuate w", {"west"}, {"east"}),
    ("hactl status --limit=site:w", {"--limit=site:west"}, {"--limit=site:east"}),
    ("hactl sudoers ", {"lb", "app", "db", "backup"}, {"lb1"}),
    ("hactl inventory show ", set(NODES), {"east"}),
    ("hactl trust db", {"db1", "db2", "db3"}, {"app1"}),
    ("hactl check --service sh", {"shop"}, {"database"}),
    ("hactl status --lim", {"--limit"}, {"status"}),
]


@pytest.fixture
def ready(home: Path) -> Path:
    """A home where the lab's inventory is the default one and `hactl` is on PATH."""
    script(home)
    target = home / ".config" / "hactl" / "inventory.toml"
    target.parent.mkdir(parents=True)
    shutil.copy(LAB, target)
    return home


def _shell(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


def bash(home: Path, line: str) -> set[str]:
    """What readline is offered, with what bash regards as earlier words (up to a `:` or `=`) put back in front."""
    rc = r"""
        PS1='ready> '
        eval "$(hactl completion bash)"
        watched() {
            local word=${COMP_WORDS[COMP_CWORD]} typed=${COMP_LINE:0:COMP_POINT}
            typed=${typed##* }
            [[ $word == [:=] ]] && word=''
            _hactl_completion "$@"
            printf '%s\n' "${COMPREPLY[@]/#/${typed%"$word"}}" >~/offered
            touch ~/done
        }
        complete -F watched hactl
    """
    (home / ".rc").write_text(rc)
    return _typed(["bash", "--rcfile", str(home / ".rc"), "-i"], home, line + "\t")


def fish(home: Path, line: str) -> set[str]:
    program = 'hactl completion fish | source; complete -C "$argv[1]" | string split -f 1 \\t'
    return _asked([_shell("fish"), "--no-config", "-c", program, line], home)


def zsh(home: Path, line: str) -> set[str]:
    """Zsh completes only in its line editor, so this types into an interactive one on a pseudo-terminal.

    `compadd` is where every way of offering ends; there, what would match is written down instead.
    """
    rc = r"""
        autoload -Uz compinit && compinit -u -D
        eval "$(hactl completion zsh)"
        compadd() {
            if [[ " $* " == *" -"[OAD]" "* ]]; then builtin compadd "$@"; return; fi
            local -a matching
            builtin compadd -O matching "$@"
            print -rl -- $matching >>$HOME/offered
        }
        finish() { zle complete-word; touch $HOME/done }
        zle -N finish
        bindkey '^T' finish
        PS1='ready> '
    """
    (home / ".zshrc").write_text(rc)
    return _typed(["zsh", "-o", "no_global_rcs", "-i"], home, line + "\x14")


def _typed(argv: list[str], home: Path, keys: str) -> set[str]:
    """Type `keys` into an interactive shell; the words that it wrote to ~/offered by the time ~/done appears."""
    program, offered, done = _shell(argv[0]), home / "offered", home / "done"
    for path in (offered, done):
        path.unlink(missing_ok=True)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execve(program, argv, environment(home, TERM="dumb"))
    try:
        _read_until(terminal, b"ready> ")
        os.write(terminal, keys.encode())
        for _ in range(600):
            if done.exists():
                break
            time.sleep(0.05)
        else:
            pytest.fail(f"{argv[0]} did not come back from completing")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return set(offered.read_text().split()) if offered.exists() else set()


def _read_until(terminal: int, mark: bytes) -> None:
    seen = b""
    while mark not in seen:
        assert select.select([terminal], [], [], 30)[0], f"zsh is silent after {seen!r}"
        seen += os.read(terminal, 4096)


def _asked(argv: list[str], home: Path) -> set[str]:
    done = subprocess.run(
        argv, env=environment(home), cwd=home, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("shell", [bash, fish, zsh])
@pytest.mark.parametrize(("line", "offered", "absent"), LINES)
def test_a_shell_completes(ready: Path, shell, line: str, offered: set[str], absent: set[str]) -> None:
    found = shell(ready, line)
    assert offered <= found
    assert not absent & found


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("hactl run dra", ["plain,drain\t"]),
        ("hactl drain app1 --override site", ["plain,site-loss\t"]),
        ("hactl drain app", ["plain,app1\t", "plain,app2\t", "plain,app3\t"]),
        ("hactl undrain app1 --pool s", ["plain,shop\t"]),
        ("hactl runs show l", []),
    ],
)
def test_acting_commands_complete(ready: Path, line: str, offered: list[str]) -> None:
    done = hactl("-i", str(LAB), home=ready, _HACTL_COMPLETE="bash_complete", HACTL_LINE=line)
    found = done.stdout.split("\n")
    assert [one[: one.index("\t") + 1] for one in found if one] == offered, done.stderr
    assert not (ready / ".local" / "state").exists(), "nothing is made by completing"


def test_without_an_inventory_there_is_nothing_to_offer_and_no_noise(home: Path) -> None:
    """One that was named and is gone: else a lab that happens to run on this machine would do."""
    gone = {"HACTL_INVENTORY": str(home / "gone.toml")}
    done = hactl(home=home, **gone, _HACTL_COMPLETE="bash_complete", HACTL_LINE="hactl status --limit ")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_a_broken_inventory_is_no_reason_to_disturb_a_half_typed_line(home: Path) -> None:
    (home / "broken.toml").write_text("[[nodes]\n")
    done = hactl(home=home, _HACTL_COMPLETE="bash_complete", HACTL_LINE="hactl -i broken.toml status --limit ")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_the_inventory_named_on_the_line_is_the_one_that_completes(ready: Path) -> None:
    text = LAB.read_text().replace('"db3"', '"other3"')
    (ready / "other.toml").write_text(text)
    done = hactl(home=ready, _HACTL_COMPLETE="bash_complete", HACTL_LINE="hactl -i other.toml status --limit oth")
    assert done.stdout == "plain,other3\tdb in west\n"


def test_completion_loads_little(ready: Path) -> None:
    line = {"_HACTL_COMPLETE": "bash_complete", "HACTL_LINE": "hactl status --limit d"}
    hactl(home=ready, **line)  # fills the inventory's cache
    heavy = {"asyncio", "asyncssh", "pydantic", "textual", "tomli", "yaml", "hactl.control", "hactl.transport"}
    assert not heavy & modules(home=ready, **line)


def test_scripts_are_what_their_shells_can_read(ready: Path) -> None:
    for shell, check in (("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])):
        if path := shutil.which(shell):
            (ready / shell).write_text(hactl("completion", shell, home=ready).stdout)
            done = subprocess.run([path, *check, str(ready / shell)], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
