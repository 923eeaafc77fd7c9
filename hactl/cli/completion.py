"""`hactl completion`: the script that a shell sources, and bash's side of the conversation.

Click does the work for zsh and fish. Bash splits words at `:` and `=`, which limit terms contain, so its script hands
over the line as typed and takes off again what bash regards as an earlier word.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    ShellComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
    split_arg_string,
)

from hactl.cli.text import examples

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_HACTL_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

_BASH = """\
# bash completion for %(prog_name)s
%(complete_func)s() {
    local typed=${COMP_LINE:0:COMP_POINT} breaks='' prefix='' line word
    COMPREPLY=()
    word=${typed##*[[:space:]]}
    [[ $word == --*=* ]] && word=${word#*=}
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
    if [[ -n $breaks && ${COMP_WORDS[COMP_CWORD]} != [\\'\\"]* ]]; then
        prefix=${word%%"${word##*[$breaks]}"}
    fi
    while IFS= read -r line; do
        case $line in
            file,*) compopt -o default ;;
            dir,*) compopt -o dirnames ;;
            plain,*) line=${line#plain,}; COMPREPLY+=("${line#"$prefix"}") ;;
        esac
    done < <(HACTL_LINE=$typed %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(ShellComplete):
    name = "bash"
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("HACTL_LINE", "")
        words = split_arg_string(line)[1:]
        if not words or (line[-1:].isspace() and not line.endswith("\\ ")):
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type},{item.value}"


add_completion_class(_Bash)


def answer(root: click.Command, asked: str) -> int:
    """What the shell asked through the environment ("bash_complete"), printed. The exit status."""
    return shell_complete(root, {}, "hactl", VARIABLE, asked)


@click.command(
    epilog=examples(
        "hactl completion bash > ~/.local/share/bash-completion/completions/hactl",
        'eval "$(hactl completion zsh)"        in ~/.zshrc, after compinit',
        "hactl completion fish > ~/.config/fish/completions/hactl.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for SHELL (bash, zsh or fish).

    It completes commands, options, and what the inventory names: nodes, services, sites, pools, roles and --limit
    expressions.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"This version of click has no completion for {shell}.")
    click.echo(kind(ctx.find_root().command, {}, "hactl", VARIABLE).source(), nl=False)
