from .calibration import (
    calibrated as calibrated,
    fit_temperature as fit_temperature,
    with_temperature as with_temperature,
)
from .checkpoint import Checkpoint as Checkpoint
from .estimator import DigitClassifier as DigitClassifier
from .fine_tuning import FineTuning as FineTuning, teach as teach
from .fitting import fit as fit, train as train
from .ood_detector import with_ood_detector as with_ood_detector
from .result import TrainingResult as TrainingResult
