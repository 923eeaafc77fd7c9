"""Verbs for Debian packages: one package to one version, with a way back; and all that the system has on offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import package_commands, package_service, package_verdicts
from hactl.drivers.verbs.command_lines import as_root, known, shown
from hactl.drivers.verbs.package_facts import Offer, installed_size, obstacles, offer, trial
from hactl.drivers.verbs.service import restart_rights
from hactl.model.command import Command, Completed
from hactl.model.facts import PackageFacts
from hactl.model.guard import GuardVerdict
from hactl.model.observed import Observed
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Effect,
    Memory,
    Scene,
    Shown,
    Standing,
    Verb,
    VerbError,
    exit_sentence,
    run,
    tell,
)

_INSTALL = 240.0  # seconds
_UPGRADE = 1200.0
_UPDATE = 120.0
_FRESH = 600.0  # seconds for which the lists count as read anew
_SAMPLE = "1.0-1"  # a version to ask sudo with, where the wanted one is not known yet
_CUT_OFF = "dpkg was interrupted"

_Refresh = Annotated[bool, About("read the package lists anew first (apt-get update)")]


@dataclass(frozen=True, slots=True)
class UpgradeArguments:
    package: Annotated[str, About("the package", ParameterKind.PACKAGE)]
    version: Annotated[str, About("the version; empty: the newest that the node is offered", ParameterKind.VERSION)] = (
        ""
    )
    refresh: _Refresh = False
    service: Annotated[
        str,
        About("the service that runs its code: the undo restarts it where the package does not", ParameterKind.SERVICE),
    ] = ""


class Upgrade(Verb[UpgradeArguments]):
    name = "package.upgrade"
    summary = "Install one version of a package; its undo installs the one that was there."
    arguments = UpgradeArguments
    has_undo = True
    effect = Effect.INTERRUPTS
    deadline = _UPDATE + _INSTALL + 60.0

    def problem(self, scene: Scene, args: UpgradeArguments) -> str:
        if args.service and args.service not in {one.name for one in scene.inventory.services_on(scene.target.name)}:
            return f"{scene.target.name} does not provide {args.service}"
        if args.version and not package_commands.installable(args.version):
            return f'"{args.version}" is not a version that apt-get install would take as one'
        return ""

    def seconds(self, args: UpgradeArguments) -> float:
        return 10.0 if args.refresh else 5.0

    def first(self, scene: Scene, args: UpgradeArguments) -> tuple[Shown, ...]:
        install = _install(args.package, args.version or _expected(scene, args.package) or "NEWEST")
        update = (shown(scene, _update()),) if args.refresh else ()
        return (*update, shown(scene, install))

    def rights(self, scene: Scene, args: UpgradeArguments) -> tuple[Command, ...]:
        update = (_update(),) if args.refresh else ()
        install = _install(args.package, args.version or _SAMPLE)
        return (*update, install, as_root(*package_commands.CONFIGURE), *restart_rights(_units(scene, args)))

    def preflight(self, scene: Scene, args: UpgradeArguments) -> Doing[tuple[GuardVerdict, ...]]:
        node, found = scene.target.name, (yield from offer(args.package))
        verdicts = [package_verdicts.of_offer(node, args.package, args.version, found, refresh=args.refresh)]
        target, needed = found.target(args.version), 0
        if target == found.installed:
            return tuple(verdicts)
        if target in found.offered:
            tried = yield from trial("install", f"{args.package}={target}")
            verdicts += package_verdicts.of_trial(node, tried)
            needed = tried.fetch + (yield from installed_size(args.package, target))
        verdicts += package_verdicts.of_return(node, args.package, found)
        verdicts += package_verdicts.of_obstacles(node, (yield from obstacles()), needed)
        return tuple(verdicts)

    def check(self, scene: Scene, args: UpgradeArguments) -> Doing[Standing]:  # noqa: ARG002 - asked of its node
        found = yield from offer(args.package)
        if not found.installed:
            return Standing(done=False, sentence=f"{args.package} is {found.state or 'not installed'}")
        target = found.target(args.version)
        done = found.installed == target
        sentence = f"{args.package} is at {found.installed}" + ("" if done else f", wanted is {target}")
        if done and args.refresh and not args.version and found.lists_age > _FRESH:
            done, sentence = False, f"{sentence}; whether that is the newest, old package lists cannot tell"
        return Standing(done, sentence, {args.package: found.installed})

    def remember(self, scene: Scene, args: UpgradeArguments) -> Doing[Memory]:
        found = yield from offer(args.package)
        running = yield from package_service.lives(_units(scene, args))
        return {"installed": found.installed, "target": found.target(args.version), **running}

    def do(self, scene: Scene, args: UpgradeArguments, memory: Memory) -> Doing[str]:
        if args.refresh:
            yield from _refresh(scene)
        found = yield from offer(args.package)
        target = found.target(args.version if args.version or args.refresh else memory.get("target", ""))
        if not found.state:
            raise VerbError(f"{args.package} is not installed, so it cannot be upgraded")
        if target == found.installed:
            return f"{args.package} {target} is the newest that is on offer"
        _require_offered(args.package, target, found)
        yield from tell(f"{args.package}: {found.installed or found.state} to {target}")
        yield from _carry_out(scene, _install(args.package, target))
        return f"{args.package} {target} installed over {found.installed or found.state}"

    def undo(self, scene: Scene, args: UpgradeArguments, memory: Memory) -> Doing[str]:
        said = yield from self._returned(scene, args.package, memory.get("installed", ""))
        restarted = yield from package_service.back(scene, _units(scene, args), args.package, memory)
        return f"{said}; {restarted}" if restarted else said

    @staticmethod
    def _returned(scene: Scene, package: str, before: str) -> Doing[str]:
        found = yield from offer(package)
        if not before or found.installed == before:
            return f"{package} is at {found.installed or 'no version'} as before"
        yield from _carry_out(scene, _install(package, before))
        after = yield from offer(package)
        if after.installed != before:
            raise VerbError(f"{package} is at {after.installed or 'no version'}, not back at {before}")
        return f"{package} {before} is back"


@dataclass(frozen=True, slots=True)
class UpgradeAllArguments:
    refresh: _Refresh = False


class UpgradeAll(Verb[UpgradeAllArguments]):
    name = "package.upgrade_all"
    summary = "Install every upgrade that is on offer, removing nothing. Cannot be undone."
    arguments = UpgradeAllArguments
    effect = Effect.INTERRUPTS
    deadline = _UPDATE + _UPGRADE + 60.0
    usual = 90.0

    def first(self, scene: Scene, args: UpgradeAllArguments) -> tuple[Shown, ...]:
        return tuple(shown(scene, one) for one in (*([_update()] if args.refresh else []), _upgrade_all()))

    def rights(self, scene: Scene, args: UpgradeAllArguments) -> tuple[Command, ...]:  # noqa: ARG002 - the same everywhere
        update = (_update(),) if args.refresh else ()
        return (*update, _upgrade_all(), as_root(*package_commands.CONFIGURE))

    def preflight(self, scene: Scene, args: UpgradeAllArguments) -> Doing[tuple[GuardVerdict, ...]]:  # noqa: ARG002
        node, tried = scene.target.name, (yield from trial("--with-new-pkgs", "upgrade"))
        # Sizes of what is unpacked are not told beforehand; packages unpack to about four times their size.
        found = yield from obstacles()
        return (*package_verdicts.of_trial(node, tried), *package_verdicts.of_obstacles(node, found, 5 * tried.fetch))

    def check(self, scene: Scene, args: UpgradeAllArguments) -> Doing[Standing]:  # noqa: ARG002 - asked of its node
        tried = yield from trial("--with-new-pkgs", "upgrade")
        if tried.errors:
            return Standing(done=False, sentence=f"apt cannot tell: {tried.errors[-1]}")
        count = len(tried.installs)
        if count == 0 and args.refresh and (yield from offer("apt")).lists_age > _FRESH:
            return Standing(done=False, sentence="nothing is pending, by old package lists")
        return Standing(count == 0, f"{count} packages to install", {"pending": str(count)})

    def remember(self, scene: Scene, args: UpgradeAllArguments) -> Doing[Memory]:  # noqa: ARG002 - for people to read
        tried = yield from trial("--with-new-pkgs", "upgrade")
        return {line.split()[0]: " ".join(line.split()[1:3]) for line in tried.installs if line.split()}

    def do(self, scene: Scene, args: UpgradeAllArguments, memory: Memory) -> Doing[str]:
        if args.refresh:
            yield from _refresh(scene)
        yield from _carry_out(scene, _upgrade_all())
        return f"upgraded {len(memory)} packages" if memory and not args.refresh else "upgraded all that was on offer"


# --- the acts -----------------------------------------------------------------------------------------------------


def _update() -> Command:
    return as_root(*package_commands.UPDATE, timeout=_UPDATE)


def _install(package: str, version: str) -> Command:
    return as_root(*package_commands.install(package, version), timeout=_INSTALL)


def _upgrade_all() -> Command:
    return as_root(*package_commands.UPGRADE_ALL, timeout=_UPGRADE)


def _refresh(scene: Scene) -> Doing[None]:
    done = yield from run(_update())
    if known(scene, done, "apt-get update") != 0:
        raise VerbError(exit_sentence(done, "apt-get update"))


def _carry_out(scene: Scene, change: Command) -> Doing[None]:
    """Runs apt. Where an earlier dpkg was cut off, apt refuses before it does anything: that is ended first."""
    done = yield from run(change)
    if known(scene, done, "apt-get") != 0 and _CUT_OFF in done.stderr + done.stdout:
        yield from tell("an earlier installation was cut off: dpkg --configure -a ends it")
        # Its exit does not matter: a package that cannot be configured is what the next installation may replace.
        yield from run(as_root(*package_commands.CONFIGURE, timeout=_INSTALL))
        done = yield from run(change)
    if known(scene, done, "apt-get") != 0:
        raise VerbError(_why(done), remedy="Look at /var/log/apt/term.log and /var/log/dpkg.log.")


def _why(done: Completed) -> str:
    """The first complaint of apt: its last line often only repeats that dpkg failed."""
    complaints = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.startswith(("E:", "dpkg:"))]
    if not complaints:
        return exit_sentence(done, "apt-get")
    return f"apt-get failed with exit status {done.exit}: {complaints[0].strip()[:300]}"


def _require_offered(package: str, target: str, found: Offer) -> None:
    if not package_commands.installable(target):
        raise VerbError(f'"{target}" is not a version that apt-get install would take as one')
    if target not in found.offered:
        raise VerbError(f"{package} {target} is not on offer", remedy="Run apt-get update, or offer it.")


def _units(scene: Scene, args: UpgradeArguments) -> tuple[str, ...]:
    """Of the service that runs the package's code; none where no service is named."""
    return scene.inventory.services[args.service].units if args.service else ()


def _expected(scene: Scene, package: str) -> str:
    """What an upgrade would install, as the picture last had it."""
    state = scene.picture.state.nodes.get(scene.target.name)
    facts = state.read("packages", PackageFacts, scene.picture.now) if state is not None else None
    if not isinstance(facts, Observed):
        return ""
    return facts.value.offered.get(package) or facts.value.installed.get(package, "")


VERBS: tuple[AnyVerb, ...] = (Upgrade(), UpgradeAll())
