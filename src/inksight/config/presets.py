"""Named networks, recipes and budgets."""

import re
from dataclasses import replace

from inksight._shared.validation import check
from inksight.config.network import Bank, Network
from inksight.config.recipe import Augmentation, Recipe

NETWORKS = {
    "post": Network((Bank(20, 5, pool=2), Bank(20, 5), Bank(40, 3)), dense=20, l2=1e-4),
    "post-prose": Network((Bank(20, 5, pool=2), Bank(40, 5), Bank(60, 3)), dense=20, l2=1e-4),
    "best": Network((Bank(12), Bank(12, pool=2), Bank(16), Bank(20), Bank(28), Bank(32))),
    "medium": Network((Bank(8), Bank(8, pool=2), Bank(10), Bank(14), Bank(16), Bank(20))),
    "small": Network((Bank(8), Bank(8, pool=2), Bank(8), Bank(10), Bank(12), Bank(14))),
    "tiny": Network(
        (Bank(7, pool=2), *(Bank(filters, separable=True) for filters in (10, 10, 11, 12))), leak=0.3
    ),
}  # fmt: skip
"""`post` is the post's code (18,813 parameters); `post-prose` the 20, 40 and 60 filters its prose speaks of.

The others measured best of their size: at most 20,000 parameters (`best`), 8,000, 5,000 and 1,000 (`docs/log.md`).
"""

RECIPES = {
    "seconds": Recipe(
        epochs=2, batch_size=128, learning_rate=1e-2, beta1=0.8, beta2=0.95, label_smoothing=0.06, muon_scale=1,
        augmentation=Augmentation(rotation=7, shift=1.3, scale=0.07, shear=0.07), taper=1,
    ),
    "default": Recipe(
        epochs=20, batch_size=256, learning_rate=1e-2, beta1=0.8, beta2=0.95, muon_scale=0.3,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=2), taper=1,
    ),
    "best": Recipe(
        epochs=50, batch_size=256, learning_rate=1e-2, beta1=0.8, beta2=0.95, label_smoothing=0.05,
        augmentation=Augmentation(
            rotation=10, shift=2, scale=0.1, shear=0.1, elastic=3, aspect=0.4, pen_style=0.3
        ), taper=1,
    ),
    "mnist": Recipe(
        epochs=50, batch_size=256, learning_rate=1e-2, beta1=0.8, beta2=0.95, label_smoothing=0.05,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=3), taper=1,
    ),
    "small": Recipe(
        epochs=50, batch_size=256, learning_rate=1e-2, beta1=0.8, beta2=0.95,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=2), taper=0.7,
    ),
    "tiny": Recipe(
        epochs=100, batch_size=256, learning_rate=1e-2, beta1=0.8, beta2=0.95,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1), taper=0.7,
    ),
    "post": Recipe(
        epochs=80, passes=3, batch_size=320, learning_rate=1e-3, schedule="constant", epsilon=1e-4,
        augmentation=Augmentation(rotation=36, shift=2.8),
    ),
}  # fmt: skip
"""`seconds`, `default` and `best` are what measured best for their time (`docs/log.md`).

`best` draws digits as other hands would, too; `mnist` is the same without that, for MNIST's own hands alone.
`small` and `tiny` are for networks of so few weights that smoothed labels, or much stretching, ask too much of them.
`post` is the post's own (a tenth of a turn, a tenth of the side).
"""

BUDGETS = {"seconds": ("post", "seconds"), "default": ("post", "default"), "best": ("best", "best")}
"""How long a training may take: the network and the recipe, by name, that make the most of it."""

SPEC = re.compile(r"(?P<filters>\d{1,4})x(?P<kernel>\d)(?P<separable>s?)(?P<pool>p?)")


def get_network(name: "str | Network", classes: int = 10) -> Network:
    """Return a network by preset name or by a short description of its banks.

    Parameters
    ----------
    name : str or Network
        One of `NETWORKS`, or banks as ``FILTERSxKERNEL`` joined by commas, then ``s`` for a separable one,
        ``p`` for a 2x2 pool, and at the end ``dUNITS`` for a dense layer. A `Network` is handed back as it is.
    classes : int
        Number of classes of a network given by name.

    Examples
    --------
    >>> get_network("20x5p,20x5,40x3,d20").banks == get_network("post").banks
    True
    """
    if isinstance(name, Network):
        return name
    if name in NETWORKS:
        return replace(NETWORKS[name], classes=classes)
    *parts, last = name.replace(" ", "").split(",")
    dense = 0
    if re.fullmatch(r"d\d{1,4}", last):
        dense = int(last[1:])
    else:
        parts.append(last)
    matches = [SPEC.fullmatch(part) for part in parts]
    banks = [
        Bank(int(m["filters"]), int(m["kernel"]), 2 if m["pool"] else 1, bool(m["separable"])) for m in matches if m
    ]
    check(
        len(banks) == len(parts) and bool(banks), "network", name,
        "one of " + ", ".join(NETWORKS) + ", or banks such as 20x5p,20x5,40x3,d20",
    )  # fmt: skip
    return Network(tuple(banks), dense=dense, classes=classes)


def get_recipe(name: "str | Recipe") -> Recipe:
    """Return a recipe by name; a `Recipe` is handed back as it is."""
    if isinstance(name, Recipe):
        return name
    check(name in RECIPES, "recipe", name, "one of " + ", ".join(RECIPES))
    return RECIPES[name]


def get_budget(name: str) -> tuple[str, str]:
    """Return the names of the network and the recipe of a budget.

    Examples
    --------
    >>> get_budget("default")
    ('post', 'default')
    """
    check(name in BUDGETS, "budget", name, "one of " + ", ".join(BUDGETS))
    return BUDGETS[name]
