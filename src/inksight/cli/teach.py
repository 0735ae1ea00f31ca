"""``inksight teach``: a model of one's own hand."""

import click

from inksight.cli.options import data_option, json_option, print_json


@click.command()
@click.argument("folder")
@click.option("--model", default="best", show_default=True, help="To start from: one that ships, or a model file.")
@data_option
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of all that is random.")
@click.option("--out", default="mine.safetensors", show_default=True, help="The model file to write.")
@json_option
def teach(folder: str, model: str, source: str, seed: int, out: str, as_json: bool) -> None:
    """Teach a model your hand by a few pictures of your own digits, in seconds.

    FOLDER has a sub-folder for each digit, with pictures of one digit each; five of each digit do a lot.
    They are mixed with the images of --data, and both are read before and after. If more than 0.1 points
    of the validation images would be lost, nothing is written and the exit code is 1.

    \b
    Examples:
      inksight teach my-digits/
      inksight teach my-digits/ --model small --out mine.safetensors
      inksight read photo.png --model mine.safetensors
    """
    from inksight._shared.files import check_writable
    from inksight.cli.startup import load_while_importing_jax
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model

    check_writable(out)
    start, own = load_model(model), load(folder)
    data = load_while_importing_jax(source)
    from inksight.training import fine_tuning as teaching

    found = teaching.teach(own, start, data, seed=seed)
    found.model.save(out)
    if as_json:
        print_json(found.to_dict() | {"weights": found.model.digest, "out": out})
        return
    click.echo(f"{found}\n{out}: {found.lesson}, learned in {found.seconds:.1f} s")
