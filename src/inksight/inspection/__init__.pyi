from .ablation import (
    filter_importance as filter_importance,
    remove_least_important as remove_least_important,
    without_filters as without_filters,
)
from .attribution import Evidence as Evidence, evidence as evidence
from .banks import (
    FeatureMaps as FeatureMaps,
    Filters as Filters,
    FilterSimilarity as FilterSimilarity,
    feature_maps as feature_maps,
    filter_similarity as filter_similarity,
    filters as filters,
)
from .barcodes import (
    AverageBarcodes as AverageBarcodes,
    Barcode as Barcode,
    DetrendedBarcodes as DetrendedBarcodes,
    average_barcodes as average_barcodes,
    barcode as barcode,
    detrended_barcodes as detrended_barcodes,
)
from .corruption_robustness import Robustness as Robustness, robustness as robustness
from .evaluation import (
    Evaluation as Evaluation,
    evaluate as evaluate,
    wilson_interval as wilson_interval,
)
from .geometry import Embedding as Embedding, Separation as Separation, embedding as embedding, separation as separation
from .label_errors import (
    DoubtfulLabels as DoubtfulLabels,
    doubtful_labels as doubtful_labels,
    write_table as write_table,
)
from .model_card import Card as Card, card as card
from .nearest import Neighbours as Neighbours, neighbours as neighbours
from .reliability import Calibration as Calibration
