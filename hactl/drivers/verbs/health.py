"""Is the service on a node well? Asked on the node itself, several times in a row: once is luck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import http
from hactl.drivers.probe import Asked, FetchProbe, HttpAnswer
from hactl.model.command import command
from hactl.model.errors import ParseError
from hactl.model.inventory import HttpService, Node
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Shown, Standing, Verb, fetch, run, tell, wait


def services(scene: Scene, only: str = "") -> tuple[HttpService, ...]:
    """The HTTP services of the step's node; just `only`, where it is named."""
    there = scene.inventory.services_on(scene.target.name)
    return tuple(one for one in there if isinstance(one, HttpService) and only in {"", one.name})


def shown(scene: Scene, of: Iterable[HttpService]) -> tuple[Shown, ...]:
    """The first request to each, for a plan."""
    node = scene.target
    return tuple(Shown(node.name, f"GET http://{_host(one, node)}:{one.port}{one.health}") for one in of)


def well(scene: Scene, of: Iterable[HttpService], times: int, interval: float) -> Doing[str]:
    """Why one of them is not well; "" when all were, `times` in a row and `interval` seconds apart."""
    wanted = tuple(of)
    for turn in range(times):
        if turn:
            yield from wait(interval, f"the next look at {', '.join(one.name for one in wanted)}")
        for service in wanted:
            sick = yield from _sick(service, scene.target)
            if sick:
                return sick if turn == 0 else f"{sick}, after {turn} good answers"
    return ""


def _sick(service: HttpService, node: Node) -> Doing[str]:
    answer = yield from fetch(service.port, service.health, _host(service, node))
    told = HttpAnswer(answer.status, answer.body, answer.seconds * 1000, answer.error)
    facts = http.parse_health(service.expect_status, told, _NOW)
    if facts.healthy:
        return ""
    said = facts.error or f"status {facts.status}" + (f' "{facts.body}"' if facts.body else "")
    return f"{service.name} on {node.name} is not well: {said}"


def version_of(service: HttpService, node: Node) -> Doing[str]:
    """The version that the service itself tells. Raises ParseError when it tells none or is not asked for it."""
    probe = http.version(service, node)
    if probe is None:
        raise ParseError(f"{service.name} has neither a version path nor a version command in the inventory.")
    if isinstance(probe, FetchProbe):
        answer = yield from fetch(probe.port, probe.path, probe.host)
        return http.parse_version(HttpAnswer(answer.status, answer.body, 0.0, answer.error), _NOW).version
    done = yield from run(command("sh", "-c", probe.alone))
    return http.parse_version_command(done, _NOW).version


def _installed(scene: Scene, of: Iterable[HttpService], package: str) -> Doing[str]:
    """The package's version on the node; "" where no package is named, or one of the services tells no version."""
    if not package or any(http.version(one, scene.target) is None for one in of):
        return ""
    done = yield from run(command("dpkg-query", "-W", "-f", "${Version}", package))
    return done.stdout.strip() if done.ok else ""


def same_version(told: str, wanted: str) -> bool:
    """`wanted` may be a package's: 1:1.1.0-2 is version 1.1.0 of what is in it."""
    upstream = wanted.partition(":")[2] or wanted
    return told in {wanted, upstream, upstream.rpartition("-")[0]}


def _host(service: HttpService, node: Node) -> str:
    return service.host or node.address


_NOW = Asked(0.0, 0.0)  # parsers of what has just been asked do not look at it


# --- the verb -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HealthyArguments:
    service: Annotated[str, About("only this one; empty: every HTTP service of the node", ParameterKind.SERVICE)] = ""
    times: Annotated[int, About("good answers in a row; a bad one begins again", minimum=1)] = 5
    interval: Annotated[float, About("how long from one answer to the next", ParameterKind.DURATION, minimum=0.1)] = 1.0
    version: Annotated[str, About("the version it has to tell; empty: any", ParameterKind.VERSION)] = ""
    package: Annotated[
        str, About("where `version` is empty: the installed version of this package is what it tells, if it tells any")
    ] = ""


class Healthy(Verb[HealthyArguments]):
    """All of it is reading, so all of it is `check`; the engine asks again until it holds or the deadline is over."""

    name = "check.healthy"
    summary = "Wait until the node's services are well, several times in a row, by their own health path."
    arguments = HealthyArguments
    mutates = False
    always = True
    deadline = 60.0

    def problem(self, scene: Scene, args: HealthyArguments) -> str:
        node = scene.target.name
        of = services(scene, args.service)
        if not of:
            return f"{node} has no HTTP service {args.service}" if args.service else f"{node} has no HTTP service"
        mute = [one.name for one in of if args.version and http.version(one, scene.target) is None]
        return f"the inventory does not say how {mute[0]} tells its version" if mute else ""

    def seconds(self, args: HealthyArguments) -> float:
        return args.interval * (args.times - 1) + 0.5

    def first(self, scene: Scene, args: HealthyArguments) -> tuple[Shown, ...]:
        return shown(scene, services(scene, args.service))

    def check(self, scene: Scene, args: HealthyArguments) -> Doing[Standing]:
        of = services(scene, args.service)
        sick = yield from well(scene, of, args.times, args.interval)
        if sick:
            yield from tell(sick)
            return Standing(done=False, sentence=sick)
        wanted = args.version or (yield from _installed(scene, of, args.package))
        versions = {}
        for service in of if wanted else ():
            try:
                versions[service.name] = yield from version_of(service, scene.target)
            except ParseError as error:
                return Standing(done=False, sentence=f"{service.name} on {scene.target.name}: {error.message}")
        wrong = [f"{name} is {told}, not {wanted}" for name, told in versions.items() if not same_version(told, wanted)]
        if wrong:
            return Standing(done=False, sentence="; ".join(wrong), facts=versions)
        names = " and ".join(f"{one.name} {versions.get(one.name, '')}".strip() for one in of)
        return Standing(
            done=True, sentence=f"{names} on {scene.target.name}: well {args.times} times in a row", facts=versions
        )

    def do(self, scene: Scene, args: HealthyArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - nothing to do
        yield from ()
        return "looked"


VERBS: tuple[AnyVerb, ...] = (Healthy(),)
