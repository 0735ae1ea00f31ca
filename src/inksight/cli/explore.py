"""``inksight explore`` and ``inksight look``: the commands that open a network and draw what is inside."""

from pathlib import Path

import click

from inksight.cli.options import SPLIT, data_option, json_option, print_json, training_options, until_option
from inksight.errors import InputError


@click.command()
@data_option
@training_options
@until_option
@click.option("--out", default="explore", show_default=True, metavar="DIR", help="Folder for all that is made.")
@click.option("--open", "show", is_flag=True, help="Open the report in a browser at the end.")
@json_option
def explore(
    source: str, budget: str, network: str | None, recipe: str | None, epochs: int | None, seconds: float | None,
    seed: int, until: float | None, out: str, show: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train a network, evaluate it, and write a report of everything inside.

    DIR gets report.html (one file, works offline), model.safetensors, history.json and figures/.

    \b
    Examples:
      inksight explore
      inksight explore --data train.csv --epochs 3 --out kaggle
    """
    import json

    from inksight._shared.files import make_folder, write_text
    from inksight.cli.startup import load_while_importing_jax

    folder = make_folder(out)
    splits = load_while_importing_jax(source).split()
    from inksight.inspection.evaluation import evaluate
    from inksight.report.report import write_report
    from inksight.training.fit import fit

    result = fit(
        splits, network, recipe, budget=budget, seed=seed, epochs=epochs, seconds=seconds, until=until,
        on_epoch=lambda model: model.save(folder / "model.safetensors"),
    )  # fmt: skip
    model = result.model
    model.save(folder / "model.safetensors")
    write_text(folder / "history.json", json.dumps(model.history.to_list(), indent=1) + "\n")
    evaluation = evaluate(model, splits.evaluation_set)
    report = write_report(folder, result, splits, evaluation, progress=True)
    kind = "test" if splits.test is not None else "validation"
    if as_json:
        print_json(result.to_dict() | {"report": str(report), "evaluated_on": kind, "evaluation": evaluation.to_dict()})
    else:
        low, high = evaluation.interval
        click.echo(f"{kind} accuracy {evaluation.accuracy:.2%} ({low:.2%} to {high:.2%}, n = {evaluation.n:,})")
        click.echo(f"report: {report.resolve()}")
    if show:
        click.launch(str(report.resolve()))


@click.command()
@click.argument("model")
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...")
@data_option
@SPLIT
@click.option("--image", type=int, default=0, show_default=True, help="Row of the image to look at, from 0.")
@click.option("--out", default="look", show_default=True, metavar="DIR", help="Folder for the pictures.")
@json_option
def look(
    model: str, pictures: tuple[str, ...], source: str, split: str | None, image: int, out: str, as_json: bool
) -> None:
    """Draw what is inside MODEL: its filters, feature maps and barcodes.

    Without PICTURE all are drawn, each as PNG and SVG; `inksight look MODEL list` names them.

    \b
    Examples:
      inksight look model.safetensors
      inksight look model.safetensors filters-1 barcode --image 7
    """
    from inksight._shared.files import make_folder
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model
    from inksight.report.pictures import gallery
    from inksight.report.report import write_figures

    every = gallery(load_model(model), load(source).part(split), image)
    names = [picture.name for picture in every]
    if pictures == ("list",):
        click.echo("\n".join(f"{picture.name:<20} {picture.title}" for picture in every))
        return
    unknown = [name for name in pictures if name not in names]
    if unknown:
        raise InputError(f"picture must be one of {', '.join(names)}, got {unknown[0]!r}")
    chosen = [picture for picture in every if not pictures or picture.name in pictures]
    written = write_figures(make_folder(out), chosen, progress=True)
    if as_json:
        print_json({"pictures": [str(path) for path in written]})
    else:
        click.echo(f"{Path(out)}: {len(written)} pictures")
