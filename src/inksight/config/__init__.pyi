from .network import DIGITS as DIGITS, IMAGE_SIZE as IMAGE_SIZE, Bank as Bank, Network as Network
from .presets import (
    BUDGETS as BUDGETS,
    NETWORKS as NETWORKS,
    RECIPES as RECIPES,
    get_budget as get_budget,
    get_network as get_network,
    get_recipe as get_recipe,
)
from .recipe import Augmentation as Augmentation, Recipe as Recipe
