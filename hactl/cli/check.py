"""`hactl check`: the cluster's health for a monitoring scheduler: one line, perfdata, exit 0 to 3.

Whatever goes wrong here is UNKNOWN and one line on stdout, because that is all that a scheduler reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import CheckCode
from hactl.cli.params import Seconds
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.findings import Finding, Verdict
    from hactl.model.inventory import Inventory
    from hactl.model.picture import Picture
    from hactl.view.perfdata import Perf


class PluginCommand(click.Command):
    """Mistakes and failures of hactl's own end as a plugin's do: UNKNOWN, in the form that schedulers read."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            _unknown(error.format_message())
            raise click.exceptions.Exit(CheckCode.UNKNOWN) from error

    def invoke(self, ctx: click.Context) -> object:
        from hactl.model.errors import HactlError

        try:
            return super().invoke(ctx)
        except HactlError as error:
            _unknown(str(error))
        except click.UsageError as error:
            _unknown(error.format_message())
        except (click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the last net: reported, never swallowed
            from hactl.cli import crash

            _unknown(crash.report(error).removeprefix("hactl: "))
        return CheckCode.UNKNOWN


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about; at most one name is set, none means the whole cluster."""

    service: str | None = None
    pool: str | None = None
    vip: str | None = None
    site: str | None = None
    node: str | None = None


@click.command(
    cls=PluginCommand,
    epilog=examples(
        "hactl check                            the whole cluster",
        "hactl check --service shop             one service on all its nodes",
        "hactl check --node db1 --timeout 8     one machine, with its numbers",
        "hactl check --without-acknowledged     only what nobody knows of yet",
        "hactl -i /etc/hactl/prod.toml check --vip public",
    ),
)
@click.option("--service", metavar="NAME", help="Only this service.")
@click.option("--pool", metavar="NAME", help="Only this balancer pool.")
@click.option("--vip", metavar="NAME", help="Only this virtual address.")
@click.option("--site", metavar="NAME", help="Only this site.")
@click.option("--node", metavar="NAME", help="Only this node, with its load, memory and disks as perfdata.")
@click.option("-l", "--limit", metavar="EXPR", help="Ask only these nodes; what others would say is unknown.")
@click.option(
    "--timeout",
    type=Seconds(0, 600, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="What is not known by then is UNKNOWN. Keep it below the scheduler's own.",
)
@click.option(
    "--without-acknowledged",
    "only_open",
    is_flag=True,
    help="Answer as if there were no findings that this user has acknowledged (see `hactl ack`).",
)
@pass_cli
def check(cli: Cli, /, limit: str | None, timeout: float, *, only_open: bool, **names: str | None) -> int:
    """Answer a monitoring system in the form of its plugins.

    One line "HACTL LEVEL - sentence | perfdata", then a line for each finding. The exit code is 0 ok, 1 warning,
    2 critical, 3 unknown; a failure of hactl itself is 3 too. It never asks for passwords. A finding that somebody has
    acknowledged says so, and counts like every other unless --without-acknowledged is given.
    """
    from hactl.cli import known, live

    inventory = cli.load()
    subject = Subject(**names)
    _require(subject, inventory)
    if subject.node and limit is None:
        limit = subject.node
    picture = live.snapshot(inventory, limit=limit, timeout=timeout, may_ask=False)
    picture = known.marker(inventory.name)(picture)
    verdict, findings, numbers = _answer(picture, subject)
    if only_open:
        verdict, findings = _without_known(picture, verdict, findings)
    click.echo(output(_title(subject, inventory), verdict, findings, numbers, picture))
    return _code(verdict)


def output(
    title: str, verdict: Verdict, findings: tuple[Finding, ...], numbers: Iterator[Perf], picture: Picture
) -> str:
    """A plugin's text: the first line with perfdata, then the findings. No stray bar can be taken for perfdata."""
    first = f"HACTL {_code(verdict).name} - {title}: {_barless(verdict.sentence)}"
    perfdata = " ".join(str(number) for number in numbers)
    lines = [
        f"{finding.level.name} {finding.scope}: {_barless(finding.sentence)}{_known(picture, finding)}"
        for finding in findings
    ]
    return "\n".join((f"{first} | {perfdata}" if perfdata else first, *lines))


def _known(picture: Picture, finding: Finding) -> str:
    from hactl.view.findings import ack_words

    ack = picture.acks.get(finding.key)
    return f" (acknowledged {_barless(ack_words(ack, picture.state.wall(picture.now)))})" if ack is not None else ""


def _without_known(
    picture: Picture, verdict: Verdict, findings: tuple[Finding, ...]
) -> tuple[Verdict, tuple[Finding, ...]]:
    """No worse than the worst finding that nobody knows of; where all are known, that is what it says."""
    from dataclasses import replace

    from hactl.model.findings import Level

    left = tuple(finding for finding in findings if finding.key not in picture.acks)
    if len(left) == len(findings):
        return verdict, findings
    level = min(verdict.level, max((finding.level for finding in left), default=Level.OK))
    count = len(findings) - len(left)
    rest = left[0].sentence if left else "nothing else"
    return replace(verdict, level=level, sentence=f"{rest} ({count} acknowledged)"), left


def _answer(picture: Picture, subject: Subject) -> tuple[Verdict, tuple[Finding, ...], Iterator[Perf]]:
    from hactl.model.findings import ScopeKind
    from hactl.view import perfdata

    all_of, findings = picture.assessment, picture.assessment.findings

    def about(kind: ScopeKind, name: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in findings if (finding.scope.kind, finding.scope.name) == (kind, name))

    if name := subject.service:
        mine = tuple(finding for finding in findings if finding.service == name)
        return all_of.services[name].verdict, mine, perfdata.of_service(picture, name)
    if name := subject.pool:
        return all_of.pools[name].verdict, about(ScopeKind.POOL, name), perfdata.of_pool(picture, name)
    if name := subject.vip:
        return all_of.vips[name].verdict, about(ScopeKind.VIP, name), iter(())
    if name := subject.site:
        nodes = picture.state.inventory.nodes
        mine = tuple(finding for finding in findings if finding.node and nodes[finding.node].site == name)
        return all_of.sites[name], (*about(ScopeKind.SITE, name), *mine), iter(())
    if name := subject.node:
        mine = tuple(finding for finding in findings if finding.node == name)
        return all_of.nodes[name], mine, perfdata.of_node(picture, name)
    return all_of.cluster, findings, perfdata.of_cluster(picture)


def _require(subject: Subject, inventory: Inventory) -> None:
    """Raises click.UsageError for two subjects at once or a name that the inventory does not have."""
    from hactl.model.suggest import did_you_mean, quoted

    known = {
        "service": inventory.services,
        "pool": inventory.pools,
        "vip": inventory.vips,
        "site": inventory.sites,
        "node": inventory.nodes,
    }
    given = {kind: name for kind in known if (name := getattr(subject, kind)) is not None}
    if len(given) > 1:
        raise click.UsageError(f"--{' and --'.join(given)} cannot be combined: ask about one thing at a time.")
    for kind, name in given.items():
        if name not in known[kind]:
            raise click.UsageError(f"There is no {kind} {quoted(name)}{did_you_mean(name, known[kind]) or '.'}")


def _title(subject: Subject, inventory: Inventory) -> str:
    kinds = ("service", "pool", "vip", "site", "node")
    return next((f"{kind} {name}" for kind in kinds if (name := getattr(subject, kind))), inventory.name)


def _code(verdict: Verdict) -> CheckCode:
    from hactl.model.findings import Level

    return {
        Level.OK: CheckCode.OK,
        Level.WARN: CheckCode.WARNING,
        Level.CRIT: CheckCode.CRITICAL,
        Level.UNKNOWN: CheckCode.UNKNOWN,
    }[verdict.level]


def _barless(text: str) -> str:
    from hactl.model.text import one_line

    return one_line(text, 300).replace("|", "/")


def _unknown(message: str) -> None:
    click.echo(f"HACTL UNKNOWN - {_barless(message)}")
