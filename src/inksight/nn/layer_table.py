"""The layers of a network as a table, like the one that Keras prints."""

from dataclasses import dataclass

from inksight.config import IMAGE_SIZE
from inksight.nn.model_file import NetworkLike, as_network
from inksight.nn.parameters import UNTRAINED, parameter_count


@dataclass(frozen=True, slots=True)
class Layer:
    """One row of the summary table.

    Parameters
    ----------
    name : str
    kind : str
        Name of the layer's class in Keras.
    shape : tuple of int
        Shape of its output for one image.
    parameters : int
        Trained and untrained ones.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def layers(network: NetworkLike) -> list[Layer]:
    """Return the layers of a network, as Keras names and counts them; see `summary`."""
    network = as_network(network)

    def count(layer: str) -> int:
        return parameter_count(network, layer=layer)

    rows = [Layer("normalization", "Normalization", (IMAGE_SIZE, IMAGE_SIZE, 1), UNTRAINED)]
    side = IMAGE_SIZE
    for number, (bank, pooled_side) in enumerate(zip(network.banks, network.sides, strict=True), start=1):
        side = side - bank.kernel + 1
        kind = "SeparableConv2D" if bank.separable else "Conv2D"
        rows.append(Layer(f"bank{number}", kind, (side, side, bank.filters), count(f"bank{number}")))
        if bank.pool > 1:
            rows.append(Layer(f"bank{number}_pool", "MaxPooling2D", (pooled_side, pooled_side, bank.filters), 0))
        side = pooled_side
    rows.append(Layer("barcode", "GlobalAveragePooling2D", (network.banks[-1].filters,), 0))
    if network.dense:
        rows.append(Layer("dense", "Dense", (network.dense,), count("dense")))
    rows.append(Layer("output", "Dense", (network.classes,), count("output")))
    return rows


def summary(network: NetworkLike) -> str:
    """Return the table that ``model.summary()`` prints in Keras.

    Parameters
    ----------
    network : Network, Model, str or path-like
        A network or a model, the name or description of a network (`inksight.get_network`), or a model file. A name
        wins over a file of that name: for the file, give ``./post`` or ``Path("post")``.

    Raises
    ------
    InputError
        If `network` is none of these.

    Examples
    --------
    >>> print(summary("8x5p,16x3").splitlines()[-3])
    Total params: 1,549
    """
    network = as_network(network)
    rows = [(f"{row.name} ({row.kind})", str((None, *row.shape)), f"{row.parameters:,}") for row in layers(network)]
    heads = ("Layer (type)", "Output Shape", "Param #")
    widths = [max(len(line[column]) for line in [heads, *rows]) for column in range(3)]

    def line(cells: tuple[str, str, str]) -> str:
        return f"{cells[0]:<{widths[0]}}  {cells[1]:<{widths[1]}}  {cells[2]:>{widths[2]}}"

    rule = "─" * len(line(heads))
    total, trained = parameter_count(network), parameter_count(network, trained=True)
    totals = [
        f"Total params: {total:,}",
        f"Trainable params: {trained:,}",
        f"Non-trainable params: {total - trained:,}",
    ]
    return "\n".join([rule, line(heads), rule, *map(line, rows), rule, *totals])
