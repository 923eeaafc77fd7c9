"""The Vagrantfile's little TOML reader: equal to a full one in what it takes, and loud about the rest."""

import json

import pytest
import tomli

from tests.vagrant.places import LAB_INVENTORY, VAGRANT, program, run

TAKEN = {
    "empty": "",
    "comments": '# one\n\n  # two\na = "x" # three\nb = "# not one" # four\n',
    "numbers": "a = 0\nb = -7\nc = +12\nd = 65535",
    "booleans": "a = true\nb = false",
    "strings": 'a = "tab\\t quote\\" back\\\\ line\\n end"\nb = "ünï"',
    "arrays": 'a = []\nb = [1, 2, ]\nc = [["x"], [true, false]] # tail',
    "inline tables": 'a = {}\nb = { c = 1, d = { e = "f" } }',
    "tables": "[a]\nx = 1\n[b.c]\ny = 2\n[b.d]\n[b]\nz = 3",
    "arrays of tables": '[[n]]\na = 1\n[[n]]\na = 2\n[n.sub]\nb = 3\n[[n]]\n[n.sub]\nb = 4\n[other]\nc = "d"',
    "keys": "a-b_9 = 1\n1 = 2\n[x-y]",
}
REFUSED = {
    "no value": "a = ",
    "no equals sign": "a 1",
    "two values": "a = 1 2",
    "bare word": "a = yes",
    "float": "a = 1.5",
    "date": "a = 2025-01-01",
    "hexadecimal": "a = 0xff",
    "underscores": "a = 1_000",
    "leading zero": "a = 007",
    "literal string": "a = 'x'",
    "long string": 'a = """x"""',
    "unknown escape": 'a = "\\u00e9"',
    "open string": 'a = "x',
    "open array": "a = [1,",
    "open table": "a = { b = 1",
    "open header": "[a",
    "half a header": "[[a]",
    "dotted key": "a.b = 1",
    "quoted key": '"a b" = 1',
    "key twice": "a = 1\na = 2",
    "key twice inside": "a = { b = 1, b = 2 }",
    "table twice": "[a]\n[b]\n[a]",
    "table over a value": "a = 1\n[a]",
    "trailing words": "[a] b",
}


def ruby(path):
    return run(program("ruby"), VAGRANT / "inventory.rb", path, env={"LC_ALL": "C.UTF-8"})


def test_reads_the_lab_as_python_does():
    done = ruby(LAB_INVENTORY)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == tomli.loads(LAB_INVENTORY.read_text())


@pytest.mark.parametrize("case", TAKEN)
def test_takes(case, tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(TAKEN[case])
    done = ruby(path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == tomli.loads(TAKEN[case])


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_the_line(case, tmp_path):
    path = tmp_path / "case.toml"
    path.write_text("ok = true\n" + REFUSED[case])
    done = ruby(path)
    assert done.returncode == 1
    line = 1 + len(REFUSED[case].splitlines())
    assert done.stderr.startswith(f"{path}:{line}: expected "), done.stderr
