"""Make the models that ship with the package, and the figures of their cards.

Run as ``python -m benchmarks.ship [--check]``, after ``python -m benchmarks.accuracy``, whose first seed each of
them is: trained on all 60,000 training images, with the temperature and the clouds' limit found beside it on validation
images. On the
same machine the files are the same byte for byte; ``--check`` writes nothing, and exits 1 if they are not.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accuracy import ROWS, Row, known, protocol, trained
from inksight._shared.files import write_bytes
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.inspection import model_card as cards
from inksight.inspection.evaluation import evaluate
from inksight.nn.history import History
from inksight.nn.model import Model
from inksight.nn.model_file import SHIPPED
from inksight.training.ood_detector import with_ood_detector

ASSETS = Path(cards.__file__).parents[1] / "assets"


def make(row: Row, splits: Splits) -> tuple[Model, str]:
    """Return the model of a row and the figures of its card, as JSON."""
    assert splits.test is not None
    results = known(row)
    if not results:
        raise SystemExit(f"first measure the row {row.name!r}: python -m benchmarks.accuracy")
    found = [result for result in results if result["seed"] is None][-1]
    model = trained(row, splits, 0, found["temperature"]).model
    model = with_ood_detector(model, splits.with_validation_to_train().train, found["threshold"])
    # How long an epoch took is another number every time.
    model = replace(model, history=History(tuple(replace(epoch, seconds=0.0) for epoch in model.history)))
    evaluation, figures = evaluate(model, splits.test), cards.Protocol.from_dict(protocol(results))
    card = cards.describe(row.name, model, evaluation, "MNIST's test images", figures).to_dict()
    figures = {name: card[name] for name in ("images", "evaluation", "protocol")}
    return model, json.dumps(figures, indent=1) + "\n"


def main(check: bool) -> int:
    """Write the models and figures, or compare them with what is there."""
    splits, different = load("mnist").split(), 0
    for row in (row for row in ROWS if row.name in SHIPPED):
        model, figures = make(row, splits)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            model.save(path)
            made = {f"{row.name}.safetensors": path.read_bytes(), f"{row.name}.json": figures.encode()}
        for name, data in made.items():
            there = ASSETS / name
            same = there.is_file() and there.read_bytes() == data
            different += not same
            if not check and not same:
                write_bytes(there, data)
            print(
                f"{name}: {len(data):,} bytes, {'the same' if same else 'different' if check else 'written'}",
                flush=True,
            )
    return int(check and different > 0)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
