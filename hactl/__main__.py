"""The entry: one command line in, one exit status out. Errors are told here and nowhere else."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from hactl.cli.exit_codes import ExitCode, exit_code
from hactl.cli.root import DASHBOARD, KNOWN, REPLAYER, SERVER, root
from hactl.model.errors import HactlError

if TYPE_CHECKING:
    from hactl.config.dashboard import Known
    from hactl.control.replay import Replay
    from hactl.model.dashboard import Settings
    from hactl.model.inventory import Inventory
    from hactl.model.serving import Serving


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one line an ending
    """Run one command line to its end; its exit status. Commands return None, an exit status, or raise."""
    try:
        result = _invoked(arguments)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except (click.Abort, KeyboardInterrupt, EOFError):
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except HactlError as error:
        _tell(error)
        return exit_code(error)
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the last net: reported, never swallowed
        from hactl.cli import crash

        click.echo(crash.report(error), err=True)
        return ExitCode.CRASHED
    return result if isinstance(result, int) else ExitCode.OK


def _invoked(arguments: Sequence[str]) -> object:
    """What the command returned. Not click's `main`, which would choose exit statuses of its own."""
    if asked := os.environ.get("_HACTL_COMPLETE"):
        from hactl.cli.completion import answer

        return answer(root, asked)
    with root.make_context("hactl", list(arguments)) as ctx:
        ctx.meta[DASHBOARD] = _dashboard
        ctx.meta[REPLAYER] = _replay
        ctx.meta[SERVER] = _serve
        ctx.meta[KNOWN] = _known
        return root.invoke(ctx)


def _dashboard(inventory: Inventory, settings: Settings) -> int:
    # Loading makes many objects and no garbage: a collector that looks at them again and again costs a tenth of the
    # way to the first paint. The dashboard turns it on when it has painted.
    gc.disable()
    from hactl.tui.start import run as run_dashboard

    return run_dashboard(inventory, settings=settings)


def _replay(replay: Replay, settings: Settings) -> int:
    from hactl.tui.replay import run as run_replay

    return run_replay(replay, settings=settings)


def _known() -> Known:
    from hactl.tui.names import known

    return known()


def _serve(serving: Serving, say: Callable[[str], None]) -> int:
    from hactl.web.serve import serve

    return serve(serving, say)


def _tell(error: HactlError) -> None:
    """What went wrong and what to do about it, on stderr."""
    from hactl.cli.errors import told

    click.echo(told(error), err=True)


if __name__ == "__main__":
    main()
