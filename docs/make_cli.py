"""Write ``docs/cli.md`` from the commands' own help: run it after changing a command."""

from pathlib import Path

import click

from inksight.cli import cli

PAGE = Path(__file__).with_name("cli.md")


def reference() -> str:
    """Return the page: every command with what its ``--help`` prints."""
    parts = ["# Commands", "Written by `docs/make_cli.py` from the commands' own `--help`."]
    for name, command in [("", cli), *cli.commands.items()]:
        title = f"inksight {name}".strip()
        with click.Context(command, info_name=title, max_content_width=100, terminal_width=100) as context:
            parts.append(f"## {title}\n\n```\n{command.get_help(context)}\n```")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference())
