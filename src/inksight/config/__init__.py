"""Configuration: `Network` (the architecture), `Recipe` (the training) and named presets of both."""

from inksight.config.network import DIGITS, IMAGE_SIZE, Bank, Network
from inksight.config.presets import BUDGETS, NETWORKS, RECIPES, get_budget, get_network, get_recipe
from inksight.config.recipe import Augmentation, Recipe

__all__ = [
    "BUDGETS",
    "DIGITS",
    "IMAGE_SIZE",
    "NETWORKS",
    "RECIPES",
    "Augmentation",
    "Bank",
    "Network",
    "Recipe",
    "get_budget",
    "get_network",
    "get_recipe",
]
