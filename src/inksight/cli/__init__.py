"""The command line: each command parses its arguments, calls the library and prints the result.

Errors are printed on one line, without a traceback.
"""

import importlib
import io
import os
import signal
import sys
import traceback
import warnings
from collections import UserDict
from keyword import iskeyword
from types import FrameType
from typing import Any, NoReturn, TextIO

import click

from inksight import __version__
from inksight.errors import InksightError, InputError, InputWarning


class _Commands(UserDict[str, Any]):
    """The commands, given the modules that define them; a module is imported when its command is first used."""

    def __getitem__(self, name: str) -> click.Command:
        function = f"{name}_" if iskeyword(name) else name
        command: click.Command = getattr(importlib.import_module(f"inksight.cli.{self.data[name]}"), function)
        return command


_COMMANDS = _Commands(
    explore="explore", train="train", read="read", teach="teach", sweep="sweep", evaluate="evaluate", card="inspect",
    look="explore", prune="prune", labels="labels", summary="inspect", kaggle="train", ensemble="ensemble",
    data="inspect", doctor="inspect", web="web", export="export", serve="serve", **{"import": "export"},
)  # fmt: skip


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="inksight %(version)s")
def cli() -> None:
    """Train a small convolutional network on handwritten digits, then look inside it.

    \b
    Examples:
      inksight explore           train a network and write a report of everything inside
      inksight read photo.jpg    read the digits on a picture
      inksight train --help      show the options and examples of a command
    """


class Terminated(KeyboardInterrupt):
    """SIGTERM, which `main` treats like Ctrl-C, so that temporary files are removed and finished work is kept."""


def main() -> None:
    """Run the command line; exit with 0, 1 after a failure, 2 after wrong input, 130 or 143 if interrupted."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a name must not end a command because a console lacks letters
    warnings.showwarning = _print_warning
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)
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
    except (click.Abort, KeyboardInterrupt) as error:
        cause = error.__context__ if isinstance(error, click.Abort) else error  # click turns one into the other
        return _print_error(str(cause or "") or "interrupted", 143 if isinstance(cause, Terminated) else 130)
    except InputError as error:
        return _print_error(str(error), 2)
    except InksightError as error:
        return _print_error(str(error), 1)
    except BrokenPipeError:  # the program that reads the output has ended, as `head` does: it is not an error
        _discard_output()
        return 1
    except Exception as error:
        if isinstance(error, OSError) and _is_of_output(error):
            _discard_output()
            return _print_error(f"cannot write to standard output: {error.strerror or error}", 1)
        if os.environ.get("INKSIGHT_DEBUG"):
            raise
        reason = " ".join(str(error).split())[:300]
        return _print_error(f"unexpected {type(error).__name__}: {reason} (set INKSIGHT_DEBUG=1 for a traceback)", 1)
    return 0


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _open_closed_streams() -> None:
    """Give closed standard streams a file, so that no other file gets their number; writing results still fails."""
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest free number, this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the process ends
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _is_of_output(error: OSError) -> bool:
    """Return whether an error comes from standard output, which is closed or on a full disk: from `click.echo`."""
    return traceback.extract_tb(error.__traceback__)[-1].name == click.echo.__name__


def _discard_output() -> None:
    """Send what standard output still holds to nowhere: Python would fail again to write it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning of this package on one line, and any other as Python does."""
    if category is InputWarning:
        click.echo(f"inksight: warning: {' '.join(str(message).split())}", err=True)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def _print_error(message: str, code: int) -> int:
    """Print an error on one line and return the exit code."""
    click.echo(f"inksight: {' '.join(message.split())}", err=True)
    return code
