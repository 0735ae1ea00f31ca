"""Makes the models that ship with the package, and the figures of their model cards.

Run: ``python -m benchmarks.ship [--check]``, after ``python -m benchmarks.accuracy``. Each model is the first seed of
that benchmark: trained on all 60,000 training images, with the temperature and the out-of-distribution threshold of the
network trained on 50,000. On the same machine the files are the same byte for byte. ``--check`` writes nothing, and
exits with 1 if a file differs.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accuracy import ROWS, Row, known, protocol, trained
from benchmarks.common import arguments
from inksight._shared.files import write_bytes
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.inspection import model_card as cards
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.model_file import SHIPPED
from inksight.training.ood_detector import with_ood_detector

ASSETS = Path(cards.__file__).parents[1] / "assets"


def make(row: Row, splits: Splits) -> tuple[Model, str]:
    """Return the model of a row, and the figures of its card as JSON."""
    assert splits.test is not None
    results = known(row)
    if not results:
        raise SystemExit(f"first measure the row {row.name!r}: python -m benchmarks.accuracy")
    validation = [result for result in results if result["seed"] is None][-1]
    model = trained(row, splits, 0, validation["temperature"]).model
    model = with_ood_detector(model, splits.with_validation_to_train().train, validation["threshold"])
    evaluation, summary = evaluate(model, splits.test), cards.Protocol.from_dict(protocol(results))
    card = cards.describe(row.name, model, evaluation, "MNIST's test images", summary).to_dict()
    figures = {name: card[name] for name in ("images", "evaluation", "protocol")}
    return model, json.dumps(figures, indent=1) + "\n"


def main(check: bool) -> int:
    """Write the models and figures; with `check`, compare them with the files and return 1 if any differs."""
    splits, differences = load("mnist").split(), 0
    for row in (row for row in ROWS if row.name in SHIPPED):
        model, figures = make(row, splits)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            model.save(path)
            contents = {f"{row.name}.safetensors": path.read_bytes(), f"{row.name}.json": figures.encode()}
        for name, content in contents.items():
            shipped = ASSETS / name
            same = shipped.is_file() and shipped.read_bytes() == content
            differences += not same
            if not check and not same:
                write_bytes(shipped, content)
            outcome = "the same" if same else "different" if check else "written"
            print(f"{name}: {len(content):,} bytes, {outcome}", flush=True)
    return int(check and differences > 0)


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.flag("check", "compare with the shipped files, write nothing")))
