"""The command line: click commands over `control`, `config` and `lab`. They parse, call and print; nothing more."""
