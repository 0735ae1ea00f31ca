"""``inksight export --to c``: its options, and what it prints."""

from collections.abc import Callable

import click

from inksight._shared.validation import check
from inksight.cli.options import data_option, load_arguments, print_json


def c_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--int8`` and ``--prefix``, and the data that an exported C program is calibrated and measured with."""
    prefix = "For c: what all names in the program begin with.  [default: the model's name]"
    int8 = "For c: quantize the network to 8-bit integers, calibrated on training images of --data."
    for option in (
        data_option,
        click.option("--prefix", metavar="NAME", help=prefix),
        click.option("--int8", is_flag=True, help=int8),
    ):
        command = option(command)
    return command


def check_c_options(target: str, int8: bool, prefix: str | None) -> None:
    """Raise `InputError` if an option of C programs is given for another target."""
    for option, value in (("--int8", int8 or None), ("--prefix", prefix)):
        check(target == "c" or value is None, option, value, "left out unless --to is c")


def export_c(model: str, folder: str, int8: bool, prefix: str | None, source: str, as_json: bool) -> None:
    """Write a C program and print where, what memory it needs and how accurate it is."""
    from inksight.data.loading import load
    from inksight.export.c_program import write_c

    program = write_c(model, folder, int8=int8, prefix=prefix, data=load(source, **load_arguments()))
    if as_json:
        print_json({"to": "c"} | program.to_dict())
        return
    click.echo("\n".join(map(str, program.files)))
    click.echo(f"flash: {program.flash:,} bytes of weights and tables, and the code; RAM: {program.ram:,} bytes")
    in_floats = f", {program.float_accuracy:.2%} in floats" if int8 else ""
    click.echo(f"accuracy: {program.accuracy:.2%} on {program.images:,} {program.part} images{in_floats}")
