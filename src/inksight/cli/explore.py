"""``inksight explore`` and ``inksight look``: draw what is inside a network."""

import json
from pathlib import Path

import click
from click.core import ParameterSource

from inksight._shared.claim import claimed
from inksight._shared.files import make_folder, write_text
from inksight._shared.validation import check
from inksight.cli.options import (
    SPLIT,
    checkpoint_argument,
    checkpoint_option,
    data_option,
    json_option,
    load_arguments,
    print_json,
    training_options,
    until_option,
)
from inksight.errors import InputError


@click.command()
@data_option
@training_options
@until_option
@checkpoint_option
@click.option("--out", default="explore", show_default=True, metavar="DIR", help="Folder to write to.")
@click.option("--open", "show", is_flag=True, help="Open the report in a browser at the end.")
@json_option
def explore(
    source: str, budget: str | None, network: str | None, recipe: str | None, epochs: int | None, seconds: float | None,
    seed: int, until: float | None, out: str, show: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train a network and write a report of everything inside.

    Writes report.html (one file that works offline), model.safetensors, history.json and figures/ to the folder DIR.

    \b
    Examples:
      inksight explore
      inksight explore --data train.csv --epochs 3 --out kaggle
    """
    checkpoint, folder = checkpoint_argument(), make_folder(out)
    same = checkpoint is not None and folder.resolve() == Path(checkpoint.folder).resolve()
    check(not same, "--checkpoint", str(folder), "another folder than --out")
    click.get_current_context().with_resource(claimed(folder))
    from inksight.data.loading import load
    from inksight.inspection.evaluation import evaluate
    from inksight.report.report import write_report
    from inksight.training.fitting import fit

    splits = load(source, **load_arguments()).split()

    result = fit(
        splits, network, recipe, budget=budget, seed=seed, epochs=epochs, seconds=seconds, until=until,
        on_epoch=lambda model: model.save(folder / "model.safetensors"), checkpoint=checkpoint,
    )  # fmt: skip
    model = result.model
    model.save(folder / "model.safetensors")
    write_text(folder / "history.json", json.dumps(model.history.to_list(), indent=1) + "\n")
    evaluation = evaluate(model, splits.evaluation_set)
    report = write_report(folder, result, splits, evaluation, progress=True)
    part = "test" if splits.test is not None else "validation"
    if as_json:
        print_json(result.to_dict() | {"report": str(report), "evaluated_on": part, "evaluation": evaluation.to_dict()})
    else:
        low, high = evaluation.interval
        click.echo(f"{part} accuracy {evaluation.accuracy:.2%} ({low:.2%} to {high:.2%}, n = {evaluation.n:,})")
        click.echo(f"report: {report.resolve()}")
    if show:
        click.launch(str(report.resolve()))


@click.command()
@click.argument("model")
@click.argument("names", nargs=-1, metavar="[PICTURE]...")
@data_option
@SPLIT
@click.option("--image", type=int, default=0, show_default=True, help="Row of the image to look at, from 0.")
@click.option("--out", default="look", show_default=True, metavar="DIR", help="Folder to write to.")
@json_option
def look(
    model: str, names: tuple[str, ...], source: str, split: str | None, image: int, out: str, as_json: bool
) -> None:
    """Draw the filters, feature maps and barcodes of a model, and other pictures of it.

    MODEL is a shipped model (post, best, small, tiny, reader) or a model file. `inksight look MODEL list` prints the
    names of the pictures and draws none. Without PICTURE, all are drawn, each as PNG and SVG.

    \b
    Examples:
      inksight look model.safetensors
      inksight look model.safetensors filters-1 barcode --image 7
    """
    from inksight.data.loading import load
    from inksight.nn.model_file import load_model
    from inksight.report.pictures import gallery
    from inksight.report.report import write_figures

    only_list = names == ("list",)
    out_given = click.get_current_context().get_parameter_source("out") is ParameterSource.COMMANDLINE
    check(not (only_list and out_given), "--out", out, "left out with `list`, which writes nothing")
    pictures = gallery(load_model(model), load(source, **load_arguments()).part(split), image)
    if only_list and as_json:
        print_json({"pictures": [{"name": picture.name, "title": picture.title} for picture in pictures]})
        return
    if only_list:
        click.echo("\n".join(f"{picture.name:<20} {picture.title}" for picture in pictures))
        return
    known = [picture.name for picture in pictures]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"picture must be one of {', '.join(known)}, got {unknown[0]!r}")
    chosen = [picture for picture in pictures if not names or picture.name in names]
    written = write_figures(make_folder(out), chosen, progress=True)
    if as_json:
        print_json({"pictures": [str(path) for path in written]})
    else:
        click.echo(f"{Path(out)}: {len(written)} files")
