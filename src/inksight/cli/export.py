"""``inksight export``: a model in the format of another program."""

import click

from inksight.cli.export_c import c_options, check_c_options, export_c
from inksight.cli.options import SHIPPED_OR_FILE, json_option


@click.command()
@click.argument("model", default="post", metavar="[MODEL]")
@click.option("--to", "target", required=True, type=click.Choice(("onnx", "c", "keras", "torch", "web")))
@click.option("--out", required=True, metavar="PATH", help="The file to write; for c, the folder.")
@c_options
@json_option
def export(model: str, target: str, out: str, int8: bool, prefix: str | None, source: str, as_json: bool) -> None:
    """Write a model for another program.

    \b
    Examples:
      inksight export tiny --to c --int8 --out firmware/
    """
    check_c_options(target, int8, prefix)
    if target == "c":
        return export_c(model, out, int8, prefix, source, as_json)
    raise NotImplementedError(f"{SHIPPED_OR_FILE} {model} {target} {out}")
