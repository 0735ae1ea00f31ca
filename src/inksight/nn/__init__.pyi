from .ensemble import Ensemble as Ensemble
from .ensemble_file import as_classifier as as_classifier, load_ensemble as load_ensemble
from .fine_tuning_record import FineTuningRecord as FineTuningRecord
from .history import Epoch as Epoch, History as History
from .layer_table import Layer as Layer, layers as layers, summary as summary
from .mahalanobis import MahalanobisDetector as MahalanobisDetector
from .model import Model as Model
from .model_file import SHIPPED as SHIPPED, as_model as as_model, load_model as load_model
from .normalization import Normalization as Normalization
from .ood import ood_score as ood_score
from .parameters import param_shapes as param_shapes, parameter_count as parameter_count, stage_names as stage_names
