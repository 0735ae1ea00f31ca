"""Run every benchmark (``make bench``, about two hours); exit 1 if a claimed number does not hold here."""

import sys

from benchmarks import (
    accuracy,
    csv_readers,
    doubtful_labels,
    fewer_filters,
    frameworks,
    lines,
    non_digits,
    other_hands,
    post_curve,
    prepare_speed,
    robustness,
    startup,
    teach,
    time_to_accuracy,
)

failed = 0
for title, run in (
    ("start-up", lambda: startup.main(rounds=7)),
    ("other frameworks", lambda: frameworks.main(rounds=5)),
    ("accuracy", lambda: accuracy.main(seeds=10, fresh=True)),
    ("time to 99 %", lambda: time_to_accuracy.main(seeds=10)),
    ("the post's run", post_curve.main),
    ("fewer filters", lambda: fewer_filters.main(seeds=5)),
    ("doubtful labels", lambda: doubtful_labels.main(seeds=2)),
    ("taught hands", lambda: teach.main(seeds=3)),
    ("other hands", other_hands.main),
    ("preparation", prepare_speed.main),
    ("lines of digits", lines.main),
    ("what is no digit", non_digits.main),
    ("changed images", robustness.main),
    ("readers of Kaggle's CSV", lambda: csv_readers.main(rounds=5)),
):
    print(f"\n## {title}\n", flush=True)
    failed |= run() or 0
sys.exit(failed)
