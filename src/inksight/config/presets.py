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
"""`post` is the network of the post's code (18,813 parameters); `post-prose` has the 20, 40 and 60 filters of its text.

The others were the most accurate of those measured with at most 20,000 (`best`), 8,000 (`medium`), 5,000 (`small`) and
1,000 (`tiny`) parameters; see `docs/log.md`.
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
"""`seconds`, `default` and `best` were the most accurate of those measured for their training time (`docs/log.md`).

`best` includes pen-style and aspect-ratio augmentation, for handwriting unlike MNIST's; `mnist` is `best` without them.
`small` and `tiny` are for small networks, which label smoothing and strong augmentation make worse.
`post` is the recipe of the post: rotation by up to a tenth of a turn, translation by up to a tenth of the image.
"""

BUDGETS = {"seconds": ("post", "seconds"), "default": ("post", "default"), "best": ("best", "best")}
"""Training budgets: for each, the names of the network and the recipe that are the most accurate in that time."""

_BANK = re.compile(r"(?P<filters>[0-9]{1,4})x(?P<kernel>[0-9])(?P<separable>s?)(?P<pool>p?)")
_DENSE = re.compile(r"d([0-9]{1,4})")


def get_network(name: "str | Network", classes: int = 10) -> Network:
    """Return a network by its preset name or by a description of its banks.

    Parameters
    ----------
    name : str or Network
        A key of `NETWORKS`, or a comma-separated list of banks. A bank is ``FILTERSxKERNEL``, followed by ``s`` if it
        is separable and by ``p`` if it has 2x2 max pooling. A last item ``dUNITS`` adds a dense layer. A `Network` is
        returned unchanged.
    classes : int
        Number of classes; ignored if `name` is a `Network`.

    Raises
    ------
    InputError
        If `name` is neither, or a number is out of range.

    Examples
    --------
    >>> get_network("20x5p,20x5,40x3,d20").banks == get_network("post").banks
    True
    """
    if isinstance(name, Network):
        return name
    check(isinstance(name, str), "network", name, "a Network, a name or a description such as 20x5p,20x5,40x3,d20")
    if name in NETWORKS:
        return replace(NETWORKS[name], classes=classes)
    parts = name.replace(" ", "").split(",")
    dense = _DENSE.fullmatch(parts[-1])
    matches = [_BANK.fullmatch(part) for part in (parts[:-1] if dense else parts)]
    banks = [
        Bank(int(m["filters"]), int(m["kernel"]), 2 if m["pool"] else 1, bool(m["separable"])) for m in matches if m
    ]
    check(
        len(banks) == len(matches) and bool(banks), "network", name,
        "one of " + ", ".join(NETWORKS) + ", or banks such as 20x5p,20x5,40x3,d20",
    )  # fmt: skip
    return Network(tuple(banks), dense=int(dense[1]) if dense else 0, classes=classes)


def get_recipe(name: "str | Recipe") -> Recipe:
    """Return a recipe by its preset name. A `Recipe` is returned unchanged."""
    if isinstance(name, Recipe):
        return name
    check(isinstance(name, str) and name in RECIPES, "recipe", name, "one of " + ", ".join(RECIPES))
    return RECIPES[name]


def get_budget(name: str) -> tuple[str, str]:
    """Return the names of the network and of the recipe of a budget.

    Examples
    --------
    >>> get_budget("default")
    ('post', 'default')
    """
    check(isinstance(name, str) and name in BUDGETS, "budget", name, "one of " + ", ".join(BUDGETS))
    return BUDGETS[name]
