"""``inksight teach``: fine-tune a model on pictures of one's own handwriting."""

import click

from inksight.cli.options import (
    SEED,
    SHIPPED_OR_FILE,
    check_outputs,
    checkpoint_argument,
    checkpoint_option,
    claim,
    data_option,
    json_option,
    load_arguments,
    print_json,
)


@click.command()
@click.argument("folder")
@click.option("--model", default="best", show_default=True, metavar="MODEL", help=SHIPPED_OR_FILE)
@data_option
@SEED
@checkpoint_option
@click.option("--out", default="mine.safetensors", show_default=True, metavar="FILE", help="Model file to write.")
@json_option
def teach(folder: str, model: str, source: str, seed: int, out: str, as_json: bool) -> None:
    """Fine-tune a model on a few pictures of your own digits.

    FOLDER has one subfolder per digit, with pictures of one digit each. Five pictures of each digit help a lot.
    The model is trained for some seconds on them, mixed with images of --data, and evaluated on both before and after.
    If it would lose more than 0.1 points of validation accuracy, or there is nothing to learn, because it already
    classifies all pictures right or was trained on all of them, nothing is written and the exit code is 1.

    \b
    Examples:
      inksight teach my-digits/
      inksight teach my-digits/ --model small --out mine.safetensors
      inksight read photo.png --model mine.safetensors
    """
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model

    check_outputs(out, inputs=[folder, source])
    claim(out)
    checkpoint = checkpoint_argument(model, out)
    start, own = load_model(model), load(folder)
    from inksight.training import fine_tuning

    data = load(source, **load_arguments())

    result = fine_tuning.teach(own, start, data, seed=seed, checkpoint=checkpoint)
    result.model.save(out)
    if as_json:
        print_json(result.to_dict() | {"weights": result.model.digest, "out": out})
        return
    click.echo(f"{result}\n{out}: {result.record}, learned in {result.seconds:.1f} s")
