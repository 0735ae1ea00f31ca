"""Write ``docs/cli.md`` from the commands' own help: run it after changing a command."""

from pathlib import Path

from click.testing import CliRunner

from inksight.cli import cli

PAGE = Path(__file__).with_name("cli.md")


def reference() -> str:
    """Return the page: every command with what its ``--help`` prints."""
    parts = ["# Commands", "Written by `docs/make_cli.py` from the commands' own `--help`."]
    for arguments in ([], *([name] for name in cli.commands)):
        printed = CliRunner().invoke(cli, [*arguments, "--help"], prog_name="inksight", terminal_width=100)
        parts.append(f"## {' '.join(['inksight', *arguments])}\n\n```\n{printed.output}```")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference())
