"""How few filters will do: the post's network pruned step by step, beside networks trained small from the start.

Run as ``python -m benchmarks.fewer_filters [seeds] [--steps STEPS]``. Each seed trains the network ``post`` for 20
epochs by Adam on MNIST's 50,000 training images, removes a quarter of the parameters, trains on for four epochs, and
so on. Then it trains every network it came by once more from new starting weights, for as many epochs in all. Filters
are chosen on 1,000 training images; the first seed is pruned by the similarity of feature maps, too. Accuracies are
those of the 10,000 validation images, and no test image is read. ``seconds`` of a step hold all of it: choosing
filters, compiling, training, validating.

Written are ``results/fewer_filters.json``, ``docs/fewer_filters.png`` and, with the answer in numbers,
``docs/fewer_filters.md``.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.machine import describe
from inksight.config import RECIPES, Augmentation
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.experiments.pruning import POST, prune, train_small
from inksight.experiments.tradeoff import Point, Pruning, Tradeoff
from inksight.plot import save
from inksight.training.fit import fit

ROOT = Path(__file__).parents[1]
# A plain one, so that what is compared is the networks: the augmentation stays the same to the end.
RECIPE = replace(
    RECIPES["default"], muon_scale=0, taper=0, augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1)
)
STEPS = 10
CLAIM = 0.25  # of the parameters, at most, are enough for the post's accuracy in the mean over seeds

PAGE = """# How few filters will do?

The post remarks that some of its filters look alike, so that fewer might do. Measured on MNIST's 10,000 validation
images, n = {n}:

{answer}

![Accuracy against parameters](fewer_filters.png)

A step removes a quarter of the parameters, the filters first whose absence costs the least loss for each parameter
that goes with them, and then trains for four epochs, by Adam, with images moved as much at the end as at the start.
"Trained small" are the same networks from new starting weights, trained for as many epochs in all. Accuracies are
means over the seeds, in brackets one standard deviation to either side (of a single seed: the 95 % interval that so
many images leave). Filters and epochs are those of seed 0.

| filters | parameters | epochs | pruned, before training on | pruned | trained small |
|---|---|---|---|---|---|
{rows}

The other way to choose is by how alike feature maps are: the filter goes whose map correlates most with another's.
For seed 0 that gives, in brackets before training on: {similar}. `inksight prune` goes by the loss.

Written by `python -m benchmarks.fewer_filters` on {machine}.
"""


def main(seeds: int, steps: int = STEPS) -> int:
    """Print every step, write figures and page; return 1 if the claim does not hold."""
    whole = load("mnist").split()
    splits = Splits(whole.train, whole.validation, None)
    machine = describe("inksight", "jax", "numpy")
    print(f"{machine}; network post, {steps} steps, {seeds} seeds")
    pruned, small, similar = [], [], None
    for seed in range(seeds):
        start = fit(splits, "post", RECIPE, seed=seed, progress=False).model
        pruned.append(prune(splits, start, RECIPE, keep_accuracy=None, steps=steps, seed=seed, progress=False))
        print(f"seed {seed}, pruned\n{pruned[-1]}", flush=True)
        if similar is None:
            similar = prune(
                splits, start, RECIPE, keep_accuracy=None, steps=steps, by="similarity", seed=seed, progress=False
            )  # fmt: skip
            print(f"seed {seed}, pruned by similarity\n{similar}", flush=True)
        small.append(train_small(splits, pruned[-1], RECIPE, seed=seed, progress=False))
        print(f"seed {seed}, trained small\n" + "\n".join(map(str, small[-1])), flush=True)
    assert similar is not None
    tradeoff = Tradeoff(pruned, small)
    kept = {"machine": machine, "seeds": seeds, **tradeoff.to_dict(), "by_similarity": similar.to_dict()}
    (ROOT / "benchmarks/results/fewer_filters.json").write_text(json.dumps(kept) + "\n")
    save(tradeoff.plot(keep=POST), ROOT / "docs/fewer_filters.png")
    (ROOT / "docs/fewer_filters.md").write_text(page(tradeoff, similar, machine))
    smallest = still_the_posts(tradeoff.pruned_points)
    print(answer(tradeoff))
    return int(smallest is None or smallest.parameters > CLAIM * tradeoff.pruned_points[0].parameters)


def still_the_posts(points: list[Point]) -> Point | None:
    """Return the smallest point whose mean is no worse than where the post's training ends."""
    good = [point for point in points if point.accuracy >= POST]
    return min(good, key=lambda point: point.parameters) if good else None


def answer(tradeoff: Tradeoff) -> str:
    """Say how many parameters still match the post, pruned and trained small."""
    start = tradeoff.pruned_points[0]
    lines = [
        f"- all {start.parameters:,.0f} parameters read {start.accuracy:.2%} right, where the post ended at {POST:.1%};"
    ]
    for name, points in (("pruned", tradeoff.pruned_points), ("trained small from the start", tradeoff.small_points)):
        point = still_the_posts(points)
        if point is None:
            lines.append(f"- {name}, no network matches the post;")
            continue
        lines.append(
            f"- {name}, the smallest that matches the post has {point.parameters:,.0f} parameters "
            f"({point.parameters / start.parameters:.0%}) and reads {point.accuracy:.2%};"
        )
    return "\n".join(lines)[:-1] + "."


def page(tradeoff: Tradeoff, similar: Pruning, machine: str) -> str:
    """Return the page with the answer, the table and what similarity does."""
    start, *rest = tradeoff.pruned_points
    lines = [f"| {_filters(tradeoff, 0)} | {start.parameters:,.0f} | {_epochs(tradeoff, 0)} | | {_spread(start)} | |"]
    for i, (point, small) in enumerate(zip(rest, tradeoff.small_points, strict=True), start=1):
        before = sum(one.steps[i].before for one in tradeoff.pruned) / len(tradeoff.pruned)
        lines.append(
            f"| {_filters(tradeoff, i)} | {point.parameters:,.0f} | {_epochs(tradeoff, i)} | {before:.2%} | "
            f"{_spread(point)} | {_spread(small)} |"
        )
    every = ", ".join(f"{step.accuracy:.2%} with {step.parameters:,} ({step.before:.2%})" for step in similar.steps[1:])
    return PAGE.format(
        n=len(tradeoff.pruned), answer=answer(tradeoff), rows="\n".join(lines), similar=every, machine=machine
    )


def _filters(tradeoff: Tradeoff, step: int) -> str:
    return "-".join(str(bank.filters) for bank in tradeoff.pruned[0].steps[step].network.banks)


def _epochs(tradeoff: Tradeoff, step: int) -> int:
    return tradeoff.pruned[0].steps[step].epochs


def _spread(point: Point) -> str:
    return f"{point.accuracy:.2%} ({point.low:.2%} to {point.high:.2%})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", type=int, nargs="?", default=5)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    sys.exit(main(arguments.seeds, arguments.steps))
