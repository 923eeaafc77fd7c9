"""The entry: one command line in, one exit status out. Errors are told here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from hactl.cli.exit_codes import ExitCode, exit_code
from hactl.cli.root import root
from hactl.model.errors import HactlError


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line to its end; its exit status. Commands return None, an exit status, or raise."""
    try:
        if "_HACTL_COMPLETE" in os.environ:
            import hactl.cli.completion  # noqa: F401 - registers hactl's own bash completion
        result = root.main(list(arguments), prog_name="hactl", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
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


def _tell(error: HactlError) -> None:
    """What went wrong and what to do about it, on stderr."""
    from hactl.cli.errors import told

    click.echo(told(error), err=True)


if __name__ == "__main__":
    main()
