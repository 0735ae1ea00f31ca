from .competition import Entry as Entry, compete as compete
from .cross_validation import CrossValidation as CrossValidation, cross_validate as cross_validate
from .pruning import prune as prune, train_from_scratch as train_from_scratch
from .pruning_result import Pruning as Pruning
from .ranking import Configuration as Configuration, Sweep as Sweep
from .search import halving as halving, sweep as sweep
from .tradeoff import Tradeoff as Tradeoff
from .trial import Trial as Trial, grid as grid
