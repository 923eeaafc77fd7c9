"""Moving an address: balancers as data, whose keepalived does what the lab's does (and what a preempting one would)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from hactl.drivers.keepalived import addresses
from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.vip import MoveArguments
from hactl.model.command import Completed
from hactl.model.errors import UnreachableError
from hactl.model.inventory import Inventory
from hactl.model.verb import RunCommand, Scene, Standing, VerbError
from tests.drivers.verbs.driving import World, done
from tests.model.builders import Cluster, lab

VERB = VERBS["vip.move"]
HOLD = "/var/lib/keepalived/hold"
OWN = {"lb1": "192.168.56.11", "lb2": "192.168.56.12"}


def inventory() -> Inventory:
    vrrp = replace(lab().services["vrrp"], track_file=HOLD)
    return replace(lab(), services={**lab().services, "vrrp": vrrp})


@dataclass
class Pair(World):
    """`takes`: seconds until the other one has it; `stuck`: nobody takes it; `preempts`: lb1 does as soon as it may."""

    holders: list[str] = field(default_factory=lambda: ["lb1"])
    files: dict[str, str] = field(default_factory=lambda: {"lb1": "0\n", "lb2": "0\n"})
    takes: float = 0.5
    stuck: bool = False
    preempts: bool = False
    down: tuple[str, ...] = ()
    forbidden: bool = False
    units: dict[str, str] = field(default_factory=dict)  # that do not run, by "NODE UNIT"
    free_at: float = 0.0

    def __post_init__(self) -> None:
        self.run, self.each = self._run, type(self)._live

    def _live(self) -> None:
        if not self.holders and self.now >= self.free_at + self.takes:
            self.holders = [name for name, set_ in self.files.items() if set_.strip() == "0"][
                -1 if self.stuck else 0 :
            ][:1]
        if self.preempts and self.files["lb1"] == "0\n" and self.now >= self.free_at + 3.0:
            self.holders = ["lb1"]

    def _run(self, ask: RunCommand) -> object:
        node = ask.node or "lb1"
        if node in self.down:
            return UnreachableError(node, "no route to host.")
        match ask.command.argv:
            case ("ip", "-o", "addr", "show"):
                has = [OWN[node], *(["192.168.56.10"] if node in self.holders else [])]
                return done("".join(f"2: host0    inet {one}/21 scope global host0\\ valid_lft\n" for one in has))
            case ("cat", "--", path):
                assert path == HOLD
                return done(self.files[node])
            case ("systemctl", "is-active", *names):
                return done("".join(self.units.get(f"{node} {name}", "active") + "\n" for name in names))
            case ("test", "-w", path):
                return done(exit=int(self.forbidden))
            case ("tee", "--", path):
                assert path == HOLD
                return self._set(node, ask.command.stdin.decode())
        raise AssertionError(ask)

    def _set(self, node: str, text: str) -> Completed:
        if self.forbidden:
            return done(exit=1, stderr=f"tee: {HOLD}: Permission denied")
        self.files[node] = text
        if text == "254\n" and node in self.holders and not self.stuck:
            self.holders.remove(node)
            self.free_at = self.now
        return done(text)


def scene(node: str = "lb1", of: Inventory | None = None) -> Scene:
    of = of or inventory()
    return Scene(of, of.nodes[node], Cluster(of).picture())


def check(world: Pair, node: str = "lb1", **arguments: str) -> Standing:
    return world.play(VERB.check(scene(node), MoveArguments(**arguments)))


def move(world: Pair, **arguments: str) -> dict[str, str]:
    args = MoveArguments(**arguments)
    memory = dict(world.play(VERB.remember(scene(), args)))
    world.play(VERB.do(scene(), args, memory))
    return memory


@pytest.mark.parametrize("arguments", [{}, {"vip": "public"}, {"to": "lb2"}])
def test_it_moves_and_the_file_is_cleared(arguments: dict[str, str]) -> None:
    world = Pair()
    assert not check(world, **arguments).done
    move(world, **arguments)
    assert world.holders == ["lb2"]
    assert world.files == {"lb1": "0\n", "lb2": "0\n"}
    assert check(world, **arguments) == Standing(
        done=True, sentence="public: held by lb2", facts={"public": "held by lb2"}
    )
    assert check(world, node="lb2").done is False


def test_it_is_moved_back() -> None:
    world = Pair()
    memory = move(world)
    assert world.play(VERB.undo(scene(), MoveArguments(), memory)) == "lb1 has public again"
    assert world.holders == ["lb1"]
    assert world.files == {"lb1": "0\n", "lb2": "0\n"}


def test_the_undo_of_what_never_began_touches_nothing() -> None:
    world = Pair(holders=["lb2"])
    memory = dict(world.play(VERB.remember(scene(), MoveArguments())))
    assert world.play(VERB.undo(scene(), MoveArguments(), memory)) == "nothing had moved"
    assert not world.changed


def test_a_file_that_was_left_set_is_said_and_cleared_by_the_undo() -> None:
    world = Pair(holders=["lb2"], files={"lb1": "254\n", "lb2": "0\n"})
    assert check(world).sentence == f"{HOLD} on lb1 is still set, by a move that was cut off"
    memory = {"public": "lb1", HOLD: "clear"}
    assert world.play(VERB.undo(scene(), MoveArguments(back=False), memory)) == "it stays where it is"
    assert world.files["lb1"] == "0\n"


def test_a_move_that_was_cut_off_is_ended() -> None:
    world = Pair(holders=["lb2"], files={"lb1": "254\n", "lb2": "0\n"})
    move(world)
    assert (world.files["lb1"], world.holders) == ("0\n", ["lb2"])
    assert check(world).done


def test_a_file_that_an_operator_has_set_stays_set() -> None:
    world = Pair(holders=["lb2"], files={"lb1": "1\n", "lb2": "0\n"})
    assert HOLD in check(world).facts
    memory = move(world)
    world.play(VERB.undo(scene(), MoveArguments(back=False), memory))
    assert not world.changed


def test_an_undo_that_may_not_move_it_leaves_it() -> None:
    world = Pair()
    memory = move(world)
    assert world.play(VERB.undo(scene(), MoveArguments(back=False), memory)) == "it stays where it is"
    assert world.holders == ["lb2"]


def test_one_that_nobody_takes_is_given_back() -> None:
    world = Pair(stuck=True)
    with pytest.raises(VerbError, match="public did not move within 8 s: held by lb1"):
        move(world)
    assert world.files["lb1"] == "0\n"


def test_a_keepalived_that_preempts_is_noticed() -> None:
    with pytest.raises(VerbError, match="lb1 took public back as soon as it could: it preempts"):
        move(Pair(preempts=True))


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (Pair(files={"lb1": "0\n", "lb2": "1\n"}), "lb2 takes no address, its /var/lib/keepalived/hold is set"),
        (Pair(units={"lb2 keepalived.service": "failed"}), "keepalived.service is failed there"),
        (Pair(units={"lb2 haproxy.service": "inactive"}), "haproxy.service is inactive there"),
        (Pair(down=("lb2",)), "no route to host"),
    ],
)
def test_nobody_gives_up_what_nobody_would_take(world: Pair, says: str) -> None:
    (verdict,) = world.play(VERB.preflight(scene(), MoveArguments()))
    assert (verdict.guard, verdict.blocks, verdict.can_override) == ("minimum-available", True, False)
    assert says in verdict.sentence
    with pytest.raises(VerbError, match=r"nobody would take public: .*; lb1 keeps it"):
        world.play(VERB.do(scene(), MoveArguments(), {"public": "lb1", HOLD: "clear"}))
    assert not world.changed


def test_a_node_without_the_address_asks_nobody_to_take_it() -> None:
    world = Pair(holders=["lb2"], units={"lb2 keepalived.service": "failed"})
    assert not world.play(VERB.preflight(scene(), MoveArguments()))


def test_a_file_that_may_not_be_written() -> None:
    world = Pair(forbidden=True)
    (verdict,) = world.play(VERB.preflight(scene(), MoveArguments()))
    assert (verdict.guard, verdict.blocks, verdict.can_override) == ("sudo", True, False)
    with pytest.raises(VerbError, match="Permission denied"):
        move(world)
    assert not Pair().play(VERB.preflight(scene(), MoveArguments()))


@pytest.mark.parametrize(
    ("world", "sentence"),
    [
        (Pair(holders=[], stuck=True, takes=9.0), "held by nobody"),
        (Pair(holders=["lb1", "lb2"]), "held by lb1 and lb2"),
        (Pair(holders=["lb2"], down=("lb1",)), "held by lb2; lb1 cannot be asked"),
    ],
)
def test_anything_but_one_other_holder_is_not_done(world: Pair, sentence: str) -> None:
    standing = check(world)
    assert not standing.done
    assert sentence in standing.sentence


@pytest.mark.parametrize(
    ("node", "arguments", "problem"),
    [
        ("lb1", {}, ""),
        ("lb1", {"to": "lb2"}, ""),
        ("app1", {}, "app1 is no candidate for any VIP"),
        ("app1", {"vip": "public"}, "app1 is no candidate for public"),
        ("lb1", {"to": "lb1"}, "lb1 cannot take public from lb1"),
        ("lb1", {"to": "app1"}, "app1 cannot take public from lb1"),
    ],
)
def test_what_speaks_against_it(node: str, arguments: dict[str, str], problem: str) -> None:
    assert VERB.problem(scene(node), MoveArguments(**arguments)) == problem


def test_without_a_track_file_nothing_moves_it() -> None:
    vrrp = replace(lab().services["vrrp"], track_file=None)
    of = replace(lab(), services={**lab().services, "vrrp": vrrp})
    assert "names no track_file of vrrp" in VERB.problem(scene(of=of), MoveArguments())


def test_addresses_that_ip_shows() -> None:
    text = (
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
        "2: host0    inet 192.168.56.11/21 brd 192.168.63.255 scope global host0\\       valid_lft forever\n"
        "2: host0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever\n"
        "\n2: host0\n"
    )
    assert addresses(text) == ("127.0.0.1", "192.168.56.11", "fe80::1")
