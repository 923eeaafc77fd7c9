from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.config import parse_inventory
from hactl.config.share import share_path
from hactl.model.errors import LimitError
from hactl.model.inventory import Inventory
from hactl.model.limit import parse_limit


def inventory() -> Inventory:
    """The lab's, with labels on some nodes."""
    text = share_path("inventory", "lab.toml").read_text("utf-8")
    for name, label in (("app1", "a1"), ("app2", "a2"), ("db1", "b1")):
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\nlabels = {{ rack = "{label}", {name} = "" }}\n')
    return parse_inventory(text.encode(), Path("/lab.toml"))


LAB = inventory()
EVERY = tuple(LAB.nodes)
APPS = ("app1", "app2", "app3")
DBS = ("db1", "db2", "db3")

CASES = [
    ("db1", ("db1",)),
    ("db3,db1", ("db1", "db3")),
    ("db3 , db1\n lb1,", ("lb1", "db1", "db3")),
    ("db1 db1", ("db1",)),
    ("db*", DBS),
    ("?b1", ("lb1", "db1")),
    ("app[12]", ("app1", "app2")),
    ("*1", ("lb1", "app1", "db1", "backup1")),
    ("*", EVERY),
    ("all", EVERY),
    ("role:db", DBS),
    ("role:d*", DBS),
    ("role:lb role:backup", ("lb1", "lb2", "backup1", "backup2")),
    ("site:west", ("db3", "backup1")),
    ("service:shop", APPS),
    ("service:*base", DBS),
    ("pool:shop", APPS),
    ("pool:database-primary", DBS),
    ("label:rack", ("app1", "app2", "db1")),
    ("label:rack=a2", ("app2",)),
    ("label:rack=a*", ("app1", "app2")),
    ("label:db1=", ("db1",)),
    ("!db1", tuple(name for name in EVERY if name != "db1")),
    ("!role:app,!role:db", ("lb1", "lb2", "backup1", "backup2")),
    ("role:db !db1", ("db2", "db3")),
    ("!db1 role:db", ("db2", "db3")),
    ("all,!site:west", (*EVERY[:7], "backup2")),
    ("site:east !role:*b", (*APPS, "backup2")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_an_expression_means(text: str, expected: tuple[str, ...]) -> None:
    assert parse_limit(text, LAB) == expected


WRONG = [
    ("", "The limit is empty."),
    (" , ", "The limit is empty."),
    ("db9", 'No node is called "db9"; did you mean "db'),
    ("xyzzy", 'No node is called "xyzzy".'),
    ("zz*", 'No node matches "zz*".'),
    ("role:dbs", 'No role is called "dbs"; did you mean "db"?'),
    ("site:", 'No site is called "".'),
    ("rol:db", '"rol:db": there is no "rol:"; did you mean "role:"?'),
    ("service:shpo", 'did you mean "shop"?'),
    ("pool:shopp", 'did you mean "shop"?'),
    ("label:rak", 'No node has the label "rak"; did you mean "rack"?'),
    ("label:rack=c1", 'No value of the label "rack" is called "c1"'),
    ("!nobody", 'No node is called "nobody".'),
    ("!", 'No node is called "".'),
    ("!!db1", '"!db1"'),
    ("db1 !db1", "leaves no node"),
    ("DB1", 'did you mean "db1"?'),
    ("db1\x1b[31m", "No node"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_wrong_with_an_expression(text: str, words: str) -> None:
    with pytest.raises(LimitError) as caught:
        parse_limit(text, LAB)
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_every_wrong_term_is_named() -> None:
    with pytest.raises(LimitError) as caught:
        parse_limit("db1 nope role:nope !site:nope", LAB)
    assert [line.split(" is")[0] for line in caught.value.message.splitlines()] == ["No node", "No role", "No site"]


TERMS = st.sampled_from(
    [*EVERY, "all", "role:db", "role:app", "site:east", "site:west", "pool:shop", "label:rack", "*1"]
)


@given(st.lists(TERMS, min_size=1, max_size=5), st.lists(TERMS, max_size=3), st.randoms())
def test_order_of_terms_does_not_matter_and_subtraction_wins(added, taken, random) -> None:
    terms = [*added, *(f"!{term}" for term in taken)]
    shuffled = random.sample(terms, len(terms))
    wanted = {name for term in added for name in parse_limit(term, LAB)}
    wanted -= {name for term in taken for name in parse_limit(term, LAB)}
    for text in (",".join(terms), " ".join(shuffled)):
        if wanted:
            assert parse_limit(text, LAB) == tuple(name for name in EVERY if name in wanted)
        else:
            with pytest.raises(LimitError):
                parse_limit(text, LAB)


@given(st.text(max_size=40))
def test_any_text_is_nodes_or_a_limit_error(text: str) -> None:
    try:
        nodes = parse_limit(text, LAB)
    except LimitError:
        return
    assert nodes == tuple(name for name in EVERY if name in nodes) != ()


def test_a_limit_that_is_right_imports_nothing_heavy() -> None:
    program = "import sys, hactl.model.limit; print('difflib' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
