"""Pruning: how few filters the post's network needs, compared with small networks trained from scratch.

Run: ``python -m benchmarks.fewer_filters [SEEDS] [--steps STEPS]``. Writes ``results/fewer_filters.json``,
``docs/fewer_filters.png`` and ``docs/fewer_filters.md``.

Data: MNIST's 50,000 training and 10,000 validation images; no test image is read.

Each seed trains the network `post` for 20 epochs by Adam. Then each step removes a quarter of the parameters, choosing
filters on 1,000 training images, and trains for four more epochs. Every network on the way is also trained from new
starting weights, for as many epochs in all. The first seed is pruned once more by the similarity of feature maps.

Measured: validation accuracy against the number of parameters. Seconds of a step cover all of it: choosing filters,
training, validation.
"""

import sys

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.data import PLAIN_RECIPE, mnist_without_test
from benchmarks.common.machine import describe
from benchmarks.common.results import DOCS, write_json_lines
from inksight.experiments.pruning import POST_ACCURACY, prune, train_from_scratch
from inksight.experiments.pruning_result import Pruning
from inksight.experiments.tradeoff import Point, Tradeoff
from inksight.plot import save
from inksight.training.fitting import fit

SEEDS, STEPS = 5, 10
CLAIM = Claim(0.25, at_most=True)  # share of the parameters that match the post's accuracy, mean over seeds

PAGE = """# How few filters are enough?

The post remarks that some of its filters look alike, so that fewer might be enough. Measured on MNIST's 10,000
validation images, n = {n}:

{answer}

![Accuracy against parameters](fewer_filters.png)

Each step removes a quarter of the parameters. The filters whose removal increases the loss least, per parameter
removed, go first. Then the network is fine-tuned for four epochs, by Adam, with the same augmentation in every epoch.
"Trained small" are the same networks trained from new starting weights, for as many epochs in all. Accuracies are means
over the seeds, with one standard deviation to either side in brackets (for a single seed, the 95 % interval that the
number of images implies). Filters and epochs are those of seed 0.

| filters | parameters | epochs | pruned, before fine-tuning | pruned | trained small |
|---|---|---|---|---|---|
{rows}

Another way to choose is by the similarity of feature maps: the filter goes whose map correlates most with another's.
For seed 0 that gives, with accuracy before fine-tuning in brackets: {similar}. `inksight prune` chooses by the loss.

Written by `python -m benchmarks.fewer_filters` on {machine}.
"""


def main(seeds: int = SEEDS, steps: int = STEPS) -> int:
    """Print every step, write figures and page; return 1 if the claim does not hold."""
    splits = mnist_without_test()
    machine = describe("inksight", "numpy")
    print(f"{machine}; network post, {steps} steps, {seeds} seeds")
    pruned, small, similar = [], [], None
    for seed in range(seeds):
        start = fit(splits, "post", PLAIN_RECIPE, seed=seed, progress=False).model
        pruned.append(prune(splits, start, PLAIN_RECIPE, keep_accuracy=None, steps=steps, seed=seed, progress=False))
        print(f"seed {seed}, pruned\n{pruned[-1]}", flush=True)
        if similar is None:
            similar = prune(
                splits, start, PLAIN_RECIPE, keep_accuracy=None, steps=steps, by="similarity", seed=seed, progress=False
            )  # fmt: skip
            print(f"seed {seed}, pruned by similarity\n{similar}", flush=True)
        small.append(train_from_scratch(splits, pruned[-1], PLAIN_RECIPE, seed=seed, progress=False))
        print(f"seed {seed}, trained small\n" + "\n".join(map(str, small[-1])), flush=True)
    assert similar is not None
    tradeoff = Tradeoff(pruned, small)
    record = {"machine": machine, "seeds": seeds, **tradeoff.to_dict(), "by_similarity": similar.to_dict()}
    write_json_lines("fewer_filters.json", record)
    save(tradeoff.plot(keep=POST_ACCURACY), DOCS / "fewer_filters.png")
    (DOCS / "fewer_filters.md").write_text(page(tradeoff, similar, machine))
    print(answer(tradeoff))
    smallest = smallest_matching_post(tradeoff.pruned_points)
    return int(smallest is None or not CLAIM.holds(smallest.parameters / tradeoff.pruned_points[0].parameters))


def smallest_matching_post(points: list[Point]) -> Point | None:
    """Return the smallest network whose mean accuracy is at least that at which the post's training ends."""
    matching = [point for point in points if point.accuracy >= POST_ACCURACY]
    return min(matching, key=lambda point: point.parameters) if matching else None


def answer(tradeoff: Tradeoff) -> str:
    """Say how many parameters match the post, pruned and trained small."""
    start = tradeoff.pruned_points[0]
    lines = [
        f"- all {start.parameters:,.0f} parameters classify {start.accuracy:.2%} of the images correctly, "
        f"where the post ended at {POST_ACCURACY:.1%};"
    ]
    for name, points in (("pruned", tradeoff.pruned_points), ("trained small from the start", tradeoff.small_points)):
        point = smallest_matching_post(points)
        if point is None:
            lines.append(f"- {name}, no network matches the post;")
            continue
        lines.append(
            f"- {name}, the smallest that matches the post has {point.parameters:,.0f} parameters "
            f"({point.parameters / start.parameters:.0%}) and reads {point.accuracy:.2%};"
        )
    return "\n".join(lines)[:-1] + "."


def page(tradeoff: Tradeoff, similar: Pruning, machine: str) -> str:
    """Return the page with the answer, the table, and the result of pruning by similarity."""
    start, *rest = tradeoff.pruned_points
    lines = [f"| {_filters(tradeoff, 0)} | {start.parameters:,.0f} | {_epochs(tradeoff, 0)} | | {_interval(start)} | |"]
    for i, (point, small) in enumerate(zip(rest, tradeoff.small_points, strict=True), start=1):
        before = sum(pruning.steps[i].before for pruning in tradeoff.pruned) / len(tradeoff.pruned)
        lines.append(
            f"| {_filters(tradeoff, i)} | {point.parameters:,.0f} | {_epochs(tradeoff, i)} | {before:.2%} | "
            f"{_interval(point)} | {_interval(small)} |"
        )
    by_similarity = ", ".join(
        f"{step.accuracy:.2%} with {step.parameters:,} ({step.before:.2%})" for step in similar.steps[1:]
    )
    return PAGE.format(
        n=len(tradeoff.pruned), answer=answer(tradeoff), rows="\n".join(lines), similar=by_similarity, machine=machine
    )


def _filters(tradeoff: Tradeoff, step: int) -> str:
    return "-".join(str(bank.filters) for bank in tradeoff.pruned[0].steps[step].network.banks)


def _epochs(tradeoff: Tradeoff, step: int) -> int:
    return tradeoff.pruned[0].steps[step].epochs


def _interval(point: Point) -> str:
    return f"{point.accuracy:.2%} ({point.low:.2%} to {point.high:.2%})"


if __name__ == "__main__":
    steps = arguments.option("steps", f"pruning steps (default: {STEPS})", type=arguments.at_least(1), default=STEPS)
    sys.exit(arguments.run(main, __doc__, arguments.seeds(SEEDS), steps))
