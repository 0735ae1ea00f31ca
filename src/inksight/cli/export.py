"""``inksight export``: a model in the format of another program."""

import click

from inksight._shared.validation import check
from inksight.cli.options import SHIPPED_OR_FILE, data_option, json_option, load_arguments, print_json


@click.command()
@click.argument("model", default="post", metavar="[MODEL]")
@click.option("--to", "target", required=True, type=click.Choice(("onnx", "c", "keras", "torch", "web")))
@click.option("--out", required=True, metavar="PATH", help="The file to write; for c, the folder.")
@click.option("--int8", is_flag=True, help="For c: quantize the network to 8-bit integers.")
@click.option("--prefix", metavar="NAME", help="For c: what all names begin with.  [default: the model's name]")
@data_option
@json_option
def export(model: str, target: str, out: str, int8: bool, prefix: str | None, source: str, as_json: bool) -> None:
    """Write a model for another program.

    For c, --data is what the accuracy is measured on, and what --int8 calibrates the network with.

    \b
    Examples:
      inksight export tiny --to c --int8 --out firmware/
    """
    check(target == "c" or not int8, "--int8", int8, "left out unless --to is c")
    check(target == "c" or prefix is None, "--prefix", prefix, "left out unless --to is c")
    if target == "c":
        from inksight.data.loading import load
        from inksight.export.c_program import write_c

        program = write_c(model, out, int8=int8, prefix=prefix, data=load(source, **load_arguments()))
        if as_json:
            print_json(program.to_dict())
            return
        click.echo("\n".join(str(path) for path in program.files))
        click.echo(f"flash: {program.flash:,} bytes of weights and tables, and the code; RAM: {program.ram:,} bytes")
        in_floats = f", {program.float_accuracy:.2%} in floats" if int8 else ""
        click.echo(f"accuracy: {program.accuracy:.2%} on {program.images:,} {program.part} images{in_floats}")
        return
    raise NotImplementedError(f"{SHIPPED_OR_FILE} {model} {target} {out}")
