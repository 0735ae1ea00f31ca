"""`TrainingResult`: a model, and how its training went."""

from dataclasses import dataclass
from typing import Any

from inksight.engine.choice import training_engine
from inksight.nn.model import Model
from inksight.nn.parameters import parameter_count


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Parameters
    ----------
    model : Model
    stopped : str
        Why the training ended: ``epochs`` or ``seconds`` (all that it was to take), ``until`` (its accuracy); or before
        its end: ``callback`` (`on_epoch` stopped it) or ``interrupted`` (Ctrl-C).
    train_images : int
        Number of training images.
    seconds : float
        Time of the training steps, without validating.
    images_per_second : float
        Images of all epochs, divided by `seconds`.
    """

    model: Model
    stopped: str
    train_images: int
    seconds: float
    images_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; None stands for a metric that was not measured."""
        network, rows = self.model.network, self.model.history.to_list()
        last = rows[-1] if rows else dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"))
        return {
            "parameters": parameter_count(network),
            "trained_parameters": parameter_count(network, trained=True),
            "train_images": self.train_images,
            "epochs": len(rows),
            **{name: last[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
            "engine": training_engine(),
            "stopped": self.stopped,
            "weights": self.model.digest,
        }
