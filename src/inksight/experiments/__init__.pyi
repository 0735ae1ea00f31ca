from .pruning import prune as prune, train_small as train_small
from .ranking import Configuration as Configuration, Sweep as Sweep
from .search import halving as halving, sweep as sweep
from .tradeoff import Pruning as Pruning, Tradeoff as Tradeoff
from .trial import Trial as Trial, grid as grid
