"""Parameters: read by kind, filled up, checked against the inventory, every problem at once."""

from __future__ import annotations

import pytest

from hactl.model.errors import InputError
from hactl.model.parameters import Parameter, ParameterKind, Value
from hactl.planning.parameters import filled
from tests.model.builders import lab
from tests.planning.playing import playbook, step

KINDS = ParameterKind


def book(*parameters: Parameter):
    return playbook(step("pause"), targets=None, parameters=parameters)


def one(kind: ParameterKind, default: Value | None = None, **more: object) -> Parameter:
    return Parameter("it", kind, "what it is for", default, **more)


READ = [
    (KINDS.DURATION, "90s", 90.0),
    (KINDS.DURATION, "15m", 900.0),
    (KINDS.DURATION, "2", 2.0),
    (KINDS.DURATION, 2, 2.0),
    (KINDS.AMOUNT, "25%", "25%"),
    (KINDS.AMOUNT, 2, "2"),
    (KINDS.BOOLEAN, "true", True),
    (KINDS.BOOLEAN, "no", False),
    (KINDS.INTEGER, "3", 3),
    (KINDS.NUMBER, "1.5", 1.5),
    (KINDS.WORDS, "a 'b c' $d", ("a", "b c", "$d")),
    (KINDS.WORDS, ["a", "; rm"], ("a", "; rm")),
    (KINDS.NODE, "app1", "app1"),
    (KINDS.SERVICE, "shop", "shop"),
    (KINDS.POOL, "database-primary", "database-primary"),
    (KINDS.VIP, "public", "public"),
    (KINDS.SITE, "west", "west"),
    (KINDS.LIMIT, "role:app,!app1", "role:app,!app1"),
    (KINDS.STRING, "'; touch /tmp/x #", "'; touch /tmp/x #"),
]


@pytest.mark.parametrize(("kind", "given", "value"), READ)
def test_a_value_is_read_by_its_kind(kind: ParameterKind, given: object, value: Value) -> None:
    assert filled(book(one(kind)), {"it": given}, lab()) == {"it": value}


WRONG = [
    (one(KINDS.DURATION), "soon", 'it: "soon" is not a duration'),
    (one(KINDS.AMOUNT), "200%", "is not an amount"),
    (one(KINDS.BOOLEAN), "perhaps", "true or false"),
    (one(KINDS.INTEGER, minimum=1), "0", "it must be at least 1"),
    (one(KINDS.NODE), "app9", 'there is no node "app9"; did you mean'),
    (one(KINDS.SERVICE), "sjop", 'there is no service "sjop"; did you mean "shop"?'),
    (one(KINDS.POOL), "nothing-like-it", 'there is no pool "nothing-like-it".'),
    (one(KINDS.LIMIT), "role:ap", 'did you mean "app"?'),
    (one(KINDS.STRING, choices=("wait", "abort")), "abrt", 'did you mean "abort"?'),
]


@pytest.mark.parametrize(("parameter", "given", "sentence"), WRONG)
def test_what_is_wrong_is_said(parameter: Parameter, given: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        filled(book(parameter), {"it": given}, lab())
    assert sentence in caught.value.message
    assert not caught.value.message.endswith("?.")


def test_every_problem_is_said_at_once() -> None:
    book_ = book(Parameter("to", KINDS.VERSION, "the version"), Parameter("node", KINDS.NODE, "which"))
    with pytest.raises(InputError) as caught:
        filled(book_, {"nod": "x", "node": "app9"}, lab())
    said = caught.value.message.splitlines()
    assert said[0] == 'test has no parameter "nod"; did you mean "node"?'
    assert said[1] == "to: has to be given: the version."
    assert said[2].startswith('node: there is no node "app9"')


def test_defaults_fill_up_and_an_empty_name_means_none() -> None:
    book_ = book(Parameter("service", KINDS.SERVICE, "whose", ""), Parameter("pause", KINDS.DURATION, "so long", 5.0))
    assert filled(book_, {}, lab()) == {"service": "", "pause": 5.0}
    assert filled(book_, {"service": ""}, lab()) == {"service": "", "pause": 5.0}
