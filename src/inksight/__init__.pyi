from . import (
    augmentation as augmentation,
    config as config,
    data as data,
    engine as engine,
    errors as errors,
    experiments as experiments,
    export as export,
    imaging as imaging,
    inspection as inspection,
    nn as nn,
    plot as plot,
    reading as reading,
    report as report,
    serve as serve,
    training as training,
    web as web,
)
from .config import (
    Augmentation as Augmentation,
    Bank as Bank,
    Network as Network,
    Recipe as Recipe,
    get_network as get_network,
    get_recipe as get_recipe,
)
from .data.dataset import Dataset as Dataset
from .data.loading import load as load
from .data.splits import Splits as Splits
from .errors import (
    InksightError as InksightError,
    InputError as InputError,
    MissingDependencyError as MissingDependencyError,
)
from .experiments.cross_validation import cross_validate as cross_validate
from .experiments.pruning import prune as prune
from .experiments.search import halving as halving, sweep as sweep
from .imaging.file_pages import pages as pages
from .imaging.preprocessing import prepare as prepare
from .imaging.strokes import Strokes as Strokes
from .inspection.ablation import filter_importance as filter_importance
from .inspection.attribution import evidence as evidence
from .inspection.banks import feature_maps as feature_maps, filter_similarity as filter_similarity, filters as filters
from .inspection.barcodes import (
    average_barcodes as average_barcodes,
    barcode as barcode,
    detrended_barcodes as detrended_barcodes,
)
from .inspection.corruption_robustness import robustness as robustness
from .inspection.evaluation import Evaluation as Evaluation, evaluate as evaluate
from .inspection.geometry import embedding as embedding, separation as separation
from .inspection.label_errors import doubtful_labels as doubtful_labels
from .inspection.model_card import card as card
from .inspection.nearest import neighbours as neighbours
from .nn.ensemble import Ensemble as Ensemble
from .nn.ensemble_file import load_ensemble as load_ensemble
from .nn.fine_tuning_record import FineTuningRecord as FineTuningRecord
from .nn.history import History as History
from .nn.layer_table import summary as summary
from .nn.model import Model as Model
from .nn.model_file import load_model as load_model
from .nn.ood import ood_score as ood_score
from .reading.reader import read as read
from .report.pictures import gallery as gallery
from .report.report import write_report as write_report
from .scale.job import read_in_shards as read_in_shards
from .training.estimator import DigitClassifier as DigitClassifier
from .training.fine_tuning import teach as teach
from .training.fitting import fit as fit, train as train
from .training.result import TrainingResult as TrainingResult

__version__: str
