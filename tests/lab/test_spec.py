"""Names and selections: pure."""

import pytest

from hactl.lab.spec import LINK_NAME_MAX, check_name, load_spec
from hactl.model.errors import LabError


@pytest.mark.parametrize("name", ["lab", "citest", "a", "a-very-long-lab-name"])
def test_link_names_fit_the_kernel_and_differ(name):
    spec = load_spec(name)
    links = [spec.link(node.name) for node in spec.nodes]
    assert all(len(link) <= LINK_NAME_MAX for link in links)
    assert len(set(links)) == len(links)


def test_two_labs_share_no_machine_name():
    names = ["lab", "citest", "citest2"]
    machines = [load_spec(lab).machine(node.name) for lab in names for node in load_spec(lab).nodes]
    assert len(set(machines)) == len(machines)


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "a/b", "..", "a" * 21, "a b", "a\n"])
def test_what_cannot_name_a_lab(name):
    with pytest.raises(LabError):
        check_name(name)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("db1", ["db1"]),
        ("role:lb", ["lb1", "lb2"]),
        ("site:west", ["db3", "backup1"]),
        ("role:none", []),
    ],
)
def test_selectors(selector, expected):
    assert [node.name for node in load_spec("lab").select(selector)] == expected


@pytest.mark.parametrize("selector", ["db9", "label:x", ""])
def test_selectors_that_name_nothing(selector):
    with pytest.raises(LabError):
        load_spec("lab").select(selector)


def test_a_part_of_a_lab_keeps_the_inventorys_order():
    spec = load_spec("lab", ["app1", "lb1"])
    assert [node.name for node in spec.nodes] == ["lb1", "app1"]
    assert not spec.whole


def test_a_part_with_every_node_is_whole():
    assert load_spec("lab", [node.name for node in load_spec("lab").nodes]).whole
