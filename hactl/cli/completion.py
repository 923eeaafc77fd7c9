"""`hactl completion`: the script that a shell sources, and the answers that it gets.

Limit terms contain `,` `:` and `=`, which shells and click's own scripts split words at. So these scripts hand over the
line as it was typed, and get back whole words, one a line: TYPE,WORD and, after a tab, what it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    ShellComplete,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

from hactl.cli.text import examples

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_HACTL_COMPLETE"

_BASH = r"""# bash completion for hactl
_hactl_completion() {
    local typed=${COMP_LINE:0:COMP_POINT} breaks='' prefix='' line word
    COMPREPLY=()
    # Bash replaces only what stands behind the last `:` or `=`, unless the word is quoted.
    word=${typed##*[[:space:]]}
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
    if [[ -n $breaks && ${COMP_WORDS[COMP_CWORD]} != [\'\"]* ]]; then
        prefix=${word%"${word##*[$breaks]}"}
    fi
    while IFS= read -r line; do
        case $line in
            file,*) compopt -o default ;;
            dir,*) compopt -o dirnames ;;
            plain,*)
                line=${line#plain,} line=${line%%$'\t'*}
                COMPREPLY+=("${line#"$prefix"}")
                ;;
        esac
    done < <(HACTL_LINE=$typed _HACTL_COMPLETE=bash_complete "$1" 2>/dev/null)
    return 0
}
complete -o nosort -F _hactl_completion hactl
"""

_ZSH = r"""#compdef hactl
_hactl_completion() {
    local -a plain described
    local line value about
    for line in "${(@f)$(HACTL_LINE="${words[1,CURRENT]}" _HACTL_COMPLETE=zsh_complete hactl 2>/dev/null)}"; do
        value=${${line#*,}%%$'\t'*} about=${line#*$'\t'}
        case $line in
            file,*) _files ;;
            dir,*) _files -/ ;;
            plain,*$'\t'*) described+=("${value//:/\\:}:$about") ;;
            plain,*) plain+=("$value") ;;
        esac
    done
    (( $#described )) && _describe -V hactl described
    (( $#plain )) && compadd -V hactl-plain -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _hactl_completion "$@"
else
    compdef _hactl_completion hactl
fi
"""

_FISH = r"""# fish completion for hactl
function _hactl_completion
    for line in (env HACTL_LINE=(commandline -cp | string collect) _HACTL_COMPLETE=fish_complete hactl 2>/dev/null)
        switch $line
            case 'file,*'
                __fish_complete_path (commandline -ct)
            case 'dir,*'
                __fish_complete_directories (commandline -ct)
            case 'plain,*'
                string replace 'plain,' '' -- $line
        end
    end
end
complete --command hactl --no-files --arguments '(_hactl_completion)'
"""


class _Line(ShellComplete):
    """Completes the line in $HACTL_LINE."""

    head = ""  # what the word under the cursor has before the value that is completed: "--limit="

    def source(self) -> str:
        return self.source_template

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("HACTL_LINE", "")
        words = split_arg_string(line)[1:]
        if not words or (line[-1:].isspace() and not line.endswith("\\ ")):
            return words, ""
        option, equals, _ = words[-1].partition("=")
        self.head = option + equals if equals and option.startswith("--") else ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        about = f"\t{' '.join(item.help.split())}" if item.help else ""
        return f"{item.type},{self.head}{item.value}{about}"


class _Bash(_Line):
    name = "bash"
    source_template = _BASH


class _Zsh(_Line):
    name = "zsh"
    source_template = _ZSH


class _Fish(_Line):
    name = "fish"
    source_template = _FISH


_KINDS: dict[str, type[_Line]] = {kind.name: add_completion_class(kind) for kind in (_Bash, _Zsh, _Fish)}


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
@click.argument("shell", type=click.Choice(list(_KINDS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for SHELL (bash, zsh or fish).

    It completes commands, options, and what the inventory names: nodes, services, sites, pools, roles and --limit
    expressions.
    """
    script = _KINDS[shell](ctx.find_root().command, {}, "hactl", VARIABLE)
    click.echo(script.source(), nl=False)
