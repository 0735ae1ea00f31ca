"""``inksight data``, ``summary``, ``doctor`` and ``card``: print facts about data, networks, the machine and models."""

import click

from inksight._shared.files import write_text
from inksight.cli.options import SPLIT, check_outputs, json_option, load_arguments, loading_options, print_json


@click.command()
@click.argument("source", default="mnist")
@click.option("--csv", metavar="FILE", help="Write the images as CSV, in Kaggle's layout.")
@click.option("--picture", metavar="FILE", help="Draw examples of each digit, as .png or .svg.")
@loading_options
@json_option
def data(source: str, csv: str | None, picture: str | None, as_json: bool) -> None:
    """Describe a source of digits: shape, classes and splits.

    SOURCE is `mnist`; a CSV, IDX, .npz or Parquet file; a folder with such a file; or a folder with one subfolder of
    pictures per digit. Without it, `mnist`.

    \b
    Examples:
      inksight data mnist
      inksight data train.csv --picture examples.png
      inksight data folder-of-pictures --csv digits.csv
    """
    from inksight.data.loading import load, write_csv

    check_outputs(csv, picture=picture, inputs=[source])
    dataset = load(source, **load_arguments())
    if csv:
        write_csv(dataset, csv)
    if picture:
        from inksight import plot

        plot.save(dataset.plot(), picture)
    splits: dict[str, int] = {}
    if dataset.labels is not None and len(dataset) > 1:
        splits = {name: len(part) for name, part in dataset.split().parts.items()}
    if as_json:
        labeled = dataset.labels is not None
        counts = dict(zip(dataset.class_names, dataset.counts.tolist(), strict=True)) if labeled else None
        print_json(
            {"name": dataset.name, "shape": list(dataset.images.shape), "counts": counts,
             "splits": splits, "digest": dataset.digest}
        )  # fmt: skip
        return
    click.echo(dataset.summary())
    if splits:
        click.echo("split: " + ", ".join(f"{count:,} {name}" for name, count in splits.items()))


@click.command()
@click.argument("network", default="post")
@json_option
def summary(network: str, as_json: bool) -> None:
    """Print the layers and parameters of a network, as Keras does.

    NETWORK is a preset, banks such as 20x5p,20x5,40x3,d20, or a model file (./post for a file with the name of a
    preset). Without it, `post`.

    \b
    Examples:
      inksight summary post
      inksight summary model.safetensors
    """
    from inksight.nn.layer_table import layers, summary as layer_table
    from inksight.nn.model_file import as_network
    from inksight.nn.parameters import parameter_count

    shape = as_network(network)
    if as_json:
        rows = [
            {"name": row.name, "type": row.kind, "shape": list(row.shape), "parameters": row.parameters}
            for row in layers(shape)
        ]
        count, trained = parameter_count(shape), parameter_count(shape, trained=True)
        print_json({"layers": rows, "parameters": count, "trained_parameters": trained})
    else:
        click.echo(layer_table(shape))


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Print which engine computes on this machine, and why.

    \b
    Example:
      inksight doctor
    """
    from inksight.engine import diagnostics

    facts = diagnostics.examine()
    if as_json:
        print_json(facts)
    else:
        width = max(map(len, facts))
        missing = {"training": "not possible", "library": "not installed", "jax": "not installed"}
        for name, value in facts.items():
            shown = missing.get(name, "not available without the native engine") if value is None else value
            click.echo(f"{name:<{width}}  {shown}")


@click.command()
@click.argument("model")
@click.option("--data", "source", metavar="SOURCE",
              help="Evaluate on these digits.  [default: mnist, or a shipped model's stored results]")  # fmt: skip
@SPLIT
@click.option("--out", metavar="FILE", help="Write the card to this file, as Markdown.")
@json_option
def card(model: str, source: str | None, split: str | None, out: str | None, as_json: bool) -> None:
    """Print the model card of a model.

    The card says what the model is, how accurate it is, and where it fails. MODEL is a shipped model (post, best,
    small, tiny), or a file of a model or an ensemble.

    \b
    Examples:
      inksight card best
      inksight card model.safetensors --data train.csv --split validation --out card.md
    """
    from inksight.inspection import model_card

    check_outputs(out, inputs=[model, source])
    result = model_card.card(model, source, split)
    if out:
        write_text(out, f"{result}\n")
    if as_json:
        print_json(result.to_dict())
    elif not out:
        click.echo(str(result))
    else:
        click.echo(f"{out}: {result!r}")
