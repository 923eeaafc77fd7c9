"""Playbooks: what a valid one means, every mistake with its place, and where they are found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import tomli

from hactl.config import playbook_reference
from hactl.config.playbook_scaffold import renamed, skeleton
from hactl.config.playbook_schema import Kind
from hactl.config.playbooks import find_playbook, load_playbook, parse_playbook, places, playbooks, shipped_playbook
from hactl.config.share import share_path
from hactl.drivers.verbs.catalogue import VERBS as REAL
from hactl.model.errors import InputError, PlaybookError
from hactl.model.inventory import ServiceKind
from hactl.model.parameters import Parameter, ParameterKind, Place, Side, Taken
from hactl.model.playbook import Budget, Condition, OnFailure, Order, Playbook, Ref, Scope, Step, Targets
from hactl.model.verb import Verbs
from tests.config.verbs import VERBS

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "playbook"
GOOD = sorted((CASES / "good").glob("*.toml"))
BAD = sorted((CASES / "bad").glob("*.toml"))
SHIPPED = sorted(share_path("playbooks").glob("*.toml"))
NAMES = [
    "backup-verify",
    "backup",
    "balancer-upgrade",
    "drain",
    "drill-clean",
    "failover",
    "files-backup",
    "files-clean",
    "files-drill",
    "files-verify",
    "os-upgrade",
    "rejoin",
    "restart",
    "restore-drill",
    "restore",
    "rolling-upgrade",
    "run-command",
    "site-evacuate",
    "site-return",
    "switchover",
    "undrain",
    "vip-move",
    "vip-release",
    "vip-return",
]


def read(text: str, verbs: Verbs = VERBS) -> Playbook:
    return parse_playbook(text.encode(), Path("/case.toml"), verbs, "FILE")


def problems(text: str) -> list[str]:
    with pytest.raises(PlaybookError) as caught:
        read(text)
    return [problem.removeprefix("FILE:") for problem in caught.value.problems]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_problem_is_told_with_its_place(path: Path) -> None:
    assert problems(path.read_text("utf-8")) == path.with_suffix(".expected").read_text("utf-8").splitlines()


def test_no_bad_case_is_without_its_expectation() -> None:
    assert {path.stem for path in BAD} == {path.stem for path in (CASES / "bad").glob("*.expected")}
    assert all(path.read_text("utf-8").strip() for path in (CASES / "bad").glob("*.expected"))


def test_what_a_playbook_with_everything_means() -> None:
    found = load_playbook(str(CASES / "good" / "everything.toml"), VERBS)
    assert (found.name, found.title) == ("everything", "All that a playbook may say")
    assert found.description == "Of two\nlines."
    assert (found.notes, found.confirm) == (("One.", "Two."), "$cluster")
    assert found.parameters["span"] == Parameter("span", ParameterKind.DURATION, "How long.", 90.0, minimum=1)
    assert found.parameters["share"].default == "2"
    assert found.parameters["service"].required
    assert found.parameters["primary"].taken == Taken("primary", "service", Place(Side.IN, "place"))
    assert found.parameters["other"].taken == Taken("replacement", "primary", Place(Side.OUTSIDE, "place"))
    assert found.targets == Targets(
        limit="role:app,!app3",
        site=Ref("place"),
        service=Ref("service"),
        order=Order.HOLDER_LAST,
        batch=Ref("share"),
        canary=Ref("canaries"),
        pause=Ref("span"),
        named=True,
        reserved=(ServiceKind.POSTGRESQL,),
        needed=("act",),
    )
    assert dict(found.guards) == {"maintenance-window": False, "site-loss": True}
    assert found.budget == Budget(1, 2)
    assert (found.source, found.shipped) == (str(CASES / "good" / "everything.toml"), False)


def test_what_its_steps_mean() -> None:
    before, elsewhere, act, wants, given, last = load_playbook(str(CASES / "good" / "everything.toml"), VERBS).steps
    assert before == Step("before", "test.whole", {}, scope=Scope.RUN)
    assert (elsewhere.scope, elsewhere.on) == (Scope.BATCH, "role:lb")
    assert elsewhere.arguments["where"] == Ref("node")
    assert act == Step(
        name="act",
        verb="test.act",
        arguments={
            "package": Ref("service.package"),
            "version": Ref("version"),
            "timeout": Ref("span"),
            "mode": Ref("mode"),
            "argv": ("say", Ref("version"), Ref("words"), "$version", "$5", "100$", Ref("node")),
            "script": "echo $version $$\n",
            "count": 4,
            "loud": Ref("loud"),
        },
        scope=Scope.NODE,
        when=Condition("in_pool", "shop", negated=True),
        deadline=Ref("span"),
        retries=3,
        on_failure=OnFailure.UNDO,
        note="Look.",
    )
    assert (wants.undo, wants.when) == (False, Condition("reboot_required"))
    assert wants.arguments["argv"] == Ref("words")
    assert (given.given, given.on, given.when) == ("primary", Ref("primary"), None)
    assert (last.scope, last.on, last.on_failure) == (Scope.RUN, "db1", OnFailure.CONTINUE)


# --- those that ship ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_playbook_is_valid_for_the_real_verbs(path: Path, tmp_path: Path) -> None:
    found = load_playbook(path.stem, REAL, env={"HOME": str(tmp_path)})
    assert found.shipped
    assert found.source == str(path)
    assert found.description
    for step in found.steps:
        assert step.on_failure is not OnFailure.UNDO or REAL[step.verb].mutates or found.targets is not None


def test_these_ship() -> None:
    assert [path.stem for path in SHIPPED] == NAMES


@pytest.mark.parametrize("path", [*SHIPPED, *GOOD], ids=lambda path: path.stem)
def test_the_schema_accepts_what_hactl_accepts(path: Path) -> None:
    schema = playbook_reference.playbook_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(schema).iter_errors(tomli.loads(path.read_text("utf-8")))
    assert [error.message for error in found] == []


@pytest.mark.parametrize("name", ["shape", "empty", "tables"])
def test_the_schema_refuses_wrong_shapes(name: str) -> None:
    document = tomli.loads((CASES / "bad" / f"{name}.toml").read_text("utf-8"))
    assert list(jsonschema.Draft202012Validator(playbook_reference.playbook_schema()).iter_errors(document))


@pytest.mark.parametrize("name", ["playbook.md", "playbook.schema.json"])
def test_the_reference_is_what_the_code_says_now(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text("utf-8")
    assert written == playbook_reference.pages()[name], "run `python -m hactl.config.playbook_reference`"


def test_every_key_is_explained_and_every_type_can_be_written() -> None:
    schema = json.loads(playbook_reference.pages()["playbook.schema.json"])
    for table in schema["$defs"].values():
        assert all("description" in field for field in table["properties"].values())
    assert set(get_args(Kind)) == set(ParameterKind)


# --- where they are found -----------------------------------------------------------------------------------------


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "hactl" / "playbooks").mkdir(parents=True)
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def put(env: dict[str, str], name: str, text: str) -> Path:
    path = Path(env["XDG_CONFIG_HOME"], "hactl", "playbooks", f"{name}.toml")
    path.write_text(text)
    return path


def test_a_users_own_playbook_wins_and_says_so(env: dict[str, str]) -> None:
    path = put(env, "drain", renamed(shipped_playbook("drain"), "drain", "drain"))
    put(env, "mine", skeleton("mine"))
    found = {place.name: place for place in places(env)}
    assert set(found) == {*NAMES, "mine"}
    assert (found["drain"].path, found["drain"].shipped, found["drain"].shadows) == (path, False, True)
    assert (found["mine"].shipped, found["mine"].shadows) == (False, False)
    assert load_playbook("drain", REAL, env=env).source == str(path)


def test_a_broken_one_is_listed_with_its_problems_and_hides_no_other(env: dict[str, str]) -> None:
    path = put(env, "broken", skeleton("other").replace('verb = "command"', 'verb = "comand"'))
    listed = {one.place.name: one for one in playbooks(REAL, env)}
    assert listed["broken"].playbook is None
    assert listed["broken"].problems == (
        f'{path}:7:8: name is "other", but the file is called broken.toml',
        f'{path}:44:8: no verb is called "comand"; did you mean "command"?',
    )
    assert all(listed[name].playbook for name in NAMES)


def test_a_name_that_nobody_has(env: dict[str, str]) -> None:
    with pytest.raises(PlaybookError, match='No playbook is called "drian"; did you mean "drain"\\?'):
        find_playbook("drian", env)
    with pytest.raises(PlaybookError, match='No playbook that ships is called "mine"'):
        shipped_playbook("mine")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    for name, words in {"absent.toml": "does not exist", "folder.toml": "is a directory"}.items():
        with pytest.raises(PlaybookError, match=words) as caught:
            load_playbook(str(tmp_path / name), VERBS)
        assert len(caught.value.problems) == 1


def test_a_folder_that_cannot_be_looked_into_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "hactl").mkdir()
    (tmp_path / "hactl" / "playbooks").write_text("not a folder")
    with pytest.raises(PlaybookError, match="cannot be read"):
        places({"XDG_CONFIG_HOME": str(tmp_path)})


# --- a first one --------------------------------------------------------------------------------------------------


def test_the_skeleton_is_valid() -> None:
    assert read(skeleton("mine"), REAL).name == "mine"


@pytest.mark.parametrize("name", NAMES)
def test_one_begun_from_another_is_that_one_with_its_own_name(name: str) -> None:
    mine, theirs = read(renamed(shipped_playbook(name), "mine", name), REAL), load_playbook(name, REAL, env={})
    assert mine.name == "mine"
    assert (mine.steps, mine.parameters, mine.targets) == (theirs.steps, theirs.parameters, theirs.targets)


@pytest.mark.parametrize("name", ["", "My Own", "../up", "a/b", "x" * 64])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError):
        skeleton(name)


def test_the_example_in_the_guide_is_valid() -> None:
    text = (ROOT / "docs" / "playbooks.md").read_text("utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert read(example, REAL).name == "renew-certificate"
    assert {
        name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`([a-z-]+)`", row)
    } == {*NAMES}
