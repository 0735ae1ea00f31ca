"""``inksight export`` and ``inksight import``: a model in the format of another program, and a network from there."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inksight._shared.validation import check
from inksight.cli.export_c import c_options, check_c_options, export_c
from inksight.cli.options import check_outputs, claim, data_option, json_option, load_arguments, print_json

if TYPE_CHECKING:
    from inksight.data.dataset import Dataset
    from inksight.inspection.model_card import Card
    from inksight.nn.model import Model

CHANCE = 0.5  # accuracy below which the pixels were probably normalized in another way


@click.command()
@click.argument("model", default="post")
@click.option("--to", "target", required=True, type=click.Choice(("onnx", "c", "keras", "torch", "web")),
              help="The format.")  # fmt: skip
@click.option("--out", required=True, metavar="PATH",
              help="The file to write: .onnx, or the .py of keras and torch; for c and web, a folder.")  # fmt: skip
@click.option("--outputs", metavar="NAMES",
              help="Outputs of an ONNX file, such as probabilities,barcode,bank1,ood_score.  "
              "[default: probabilities, label and ood_score]")  # fmt: skip
@click.option("--input", "input_type", type=click.Choice(("uint8", "float32")),
              help="Type of the images of an ONNX file: 0 to 255, or 0 to 1.  [default: uint8]")  # fmt: skip
@c_options
@json_option
def export(
    model: str, target: str, out: str, outputs: str | None, input_type: str | None, int8: bool, prefix: str | None,
    source: str, as_json: bool,
) -> None:  # fmt: skip
    """Write a model for another program, which then gives the same answers.

    MODEL is a shipped model (post, best, small, tiny, reader) or a model file. Without it, `post`.

    An ONNX file has everything inside: normalization, temperature, softmax and out-of-distribution score. For Keras and
    PyTorch, a short script builds the network, and a file beside it has the weights. A C program has them inside.

    \b
    Examples:
      inksight export post --to onnx --out post.onnx
      inksight export model.safetensors --to onnx --out model.onnx --outputs probabilities,barcode
      inksight export best --to torch --out best.py
      inksight export tiny --to c --int8 --out firmware/
      inksight export post --to web --out site/
    """
    from inksight.nn.model_file import load_model

    for option, value in (("--outputs", outputs), ("--input", input_type)):
        check(value is None or target == "onnx", option, value, "left out unless --to is onnx")
    check_c_options(target, int8, prefix)
    if target == "c":
        return export_c(model, out, int8, prefix, source, as_json)
    loaded = load_model(model)
    card = _card(model, loaded)
    facts: dict[str, Any] = {}
    if target == "web":
        from inksight.web.site import write_site

        files = write_site(out, model)
    elif target == "onnx":
        from inksight.export.onnx_file import write_onnx

        check_outputs(out, inputs=[model])
        names = None if outputs is None else [name.strip() for name in outputs.split(",")]
        facts["difference"] = write_onnx(
            loaded, out, outputs=names, input_type=input_type or "uint8", card=str(card or "")
        )
        files = [Path(out)]
    else:
        from inksight.export.keras_script import write_keras
        from inksight.export.script import weights_path
        from inksight.export.torch_script import write_torch

        weights = weights_path(out, ".npz" if target == "keras" else ".safetensors")
        check_outputs(out, str(weights), inputs=[model])
        files = (write_keras if target == "keras" else write_torch)(loaded, out)
    facts["accuracy"] = card.evaluation["accuracy"] if card else None
    sizes = {str(path): path.stat().st_size for path in files}
    if as_json:
        print_json({"to": target, "files": sizes, "weights": loaded.digest, **facts})
        return
    for path, size in sizes.items() if target != "web" else [(out, sum(sizes.values()))]:
        click.echo(f"{path}: {size:,} bytes")
    if card:
        click.echo(f"accuracy {card.evaluation['accuracy']:.2%} on {card.images}")
    if target == "onnx":
        found = facts["difference"]
        told = "onnxruntime is not installed, so the file was not run" if found is None else (
            f"in ONNX Runtime, the outputs differ from those of inksight by {found:.1g} of their largest value at most"
        )  # fmt: skip
        click.echo(told)


def _card(name: str, model: "Model") -> "Card | None":
    """Return the card of a model for digits; None for other classes, on which MNIST says nothing."""
    from inksight.config import DIGITS
    from inksight.inspection.model_card import card

    return card(name) if model.class_names == DIGITS else None


@click.command(name="import")
@click.argument("file")
@click.option("--out", default="model.safetensors", show_default=True, metavar="FILE", help="Model file to write.")
@click.option("--network", metavar="NETWORK",
              help="The network, if FILE has weights alone: a preset, or banks such as 20x5p,20x5,40x3,d20 (p: "
              "max-pooled, s: separable, d: dense layer).  [default: a preset with these shapes]")  # fmt: skip
@click.option("--leak", type=float, help="Slope of the leaky ReLU, if FILE has weights alone.  [default: the preset's]")
@click.option("--mean", type=float, help="What was subtracted from the pixels, from 0 to 1.  [default: 0]")
@click.option("--std", type=float, help="What the pixels were then divided by.  [default: 1]")
@click.option("--classes", metavar="NAMES", help="Names of the classes, such as a,b,c.  [default: 0,1,2,...]")
@data_option
@json_option
def import_(
    file: str, out: str, network: str | None, leak: float | None, mean: float | None, std: float | None,
    classes: str | None, source: str, as_json: bool,
) -> None:  # fmt: skip
    """Read a network that was trained with Keras or PyTorch.

    FILE is a Keras model (.keras, or .h5 of Keras 2), Keras weights (.weights.h5), or the state dict of a PyTorch
    module, written by safetensors.torch.save_file. Nothing in it is run. The network must be one of those of inksight:
    convolutions with leaky ReLU, global average pooling, dense layers.

    It is evaluated on the test images of --data, so that a wrong --mean or --std shows.

    \b
    Examples:
      inksight import model.keras
      inksight import net.safetensors --network 16x5p,32x3,d20 --mean 0.1307 --std 0.3081
      inksight look model.safetensors
      inksight web --model model.safetensors
    """
    from inksight.data.loading import load
    from inksight.export.network_import import import_model
    from inksight.inspection.evaluation import evaluate

    check_outputs(out, inputs=[file, source])
    claim(out)
    names = None if classes is None else [name.strip() for name in classes.split(",")]
    model = import_model(file, network=network, leak=leak, mean=mean, std=std, class_names=names)
    data: Dataset = load(source, **load_arguments())
    fits = data.class_names == model.class_names
    result = evaluate(model, data.part(data.default_part), hardest=0) if fits else None
    model.save(out)
    if as_json:
        accuracy = None if result is None else result.accuracy
        print_json({"out": out, "network": model.network.spec, "weights": model.digest, "accuracy": accuracy})
        return
    scale = f"mean {model.normalization.mean:.4g}, variance {model.normalization.variance:.4g}"
    click.echo(f"{out}: {model.network.spec}, leaky ReLU {model.network.leak:g}, pixels normalized by {scale}")
    if result is None:
        click.echo(f"not evaluated: {data.name} has other classes")
        return
    click.echo(f"accuracy {result.accuracy:.2%} on {result.n:,} images of {result.name}")
    if result.accuracy < CHANCE:
        click.echo(
            "That is low: tell by --mean and --std how the pixels were normalized, such as --std 0.00392 if they were "
            "from 0 to 255 in training, and by --network and --leak what the weights do not tell."
        )
