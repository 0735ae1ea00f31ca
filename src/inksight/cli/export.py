"""``inksight export``: a model in the format of another program."""

import click

from inksight.cli.options import SHIPPED_OR_FILE


@click.command()
@click.argument("model", default="post", metavar="[MODEL]")
@click.option("--to", "target", required=True, type=click.Choice(("onnx", "c", "keras", "torch", "web")))
@click.option("--out", required=True, metavar="PATH", help="The file or folder to write.")
def export(model: str, target: str, out: str) -> None:
    """Write a model for another program."""
    raise NotImplementedError(f"{SHIPPED_OR_FILE} {model} {target} {out}")
