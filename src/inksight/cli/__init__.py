"""The command line: each command parses its arguments, calls the library and prints the result.

Errors are printed on one line, without a traceback.
"""

import os
import sys

import click

from inksight import __version__
from inksight.cli.evaluate import evaluate
from inksight.cli.explore import explore, look
from inksight.cli.inspect import card, data, doctor, summary
from inksight.cli.labels import labels
from inksight.cli.prune import prune
from inksight.cli.read import read
from inksight.cli.sweep import sweep
from inksight.cli.teach import teach
from inksight.cli.train import kaggle, train
from inksight.errors import InksightError, InputError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="inksight %(version)s")
def cli() -> None:
    """Train a small convolutional network on handwritten digits, then look inside it.

    \b
    Examples:
      inksight explore           train a network and write a report of everything inside
      inksight read photo.jpg    read the digits on a picture
      inksight train --help      show the options and examples of a command
    """


for command in (explore, train, read, teach, sweep, evaluate, card, look, prune, labels, summary, kaggle, data, doctor):
    cli.add_command(command)


def main() -> None:
    """Run the command line; exit with 0, 1 after a failure, 2 after wrong input, 130 after Ctrl-C."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; print an error on one line of standard error."""
    try:
        cli.main(arguments, prog_name="inksight", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        return _print_error(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        return _print_error("interrupted", 130)
    except InputError as error:
        return _print_error(str(error), 2)
    except InksightError as error:
        return _print_error(str(error), 1)
    except BrokenPipeError:  # the program that reads the output has ended, as `head` does: it is not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("INKSIGHT_DEBUG"):
            raise
        reason = " ".join(str(error).split())[:300]
        return _print_error(f"unexpected {type(error).__name__}: {reason} (set INKSIGHT_DEBUG=1 for a traceback)", 1)
    return 0


def _print_error(message: str, code: int) -> int:
    """Print an error on one line and return the exit code."""
    click.echo(f"inksight: {' '.join(message.split())}", err=True)
    return code
