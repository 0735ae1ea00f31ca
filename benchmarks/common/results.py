"""Where benchmarks keep their results and figures."""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs"


def write_json_lines(name: str, *records: dict[str, Any]) -> None:
    """Write records to a file in `RESULTS`, one JSON object a line."""
    (RESULTS / name).write_text("".join(json.dumps(record) + "\n" for record in records))


def save_figure(figure: Figure, name: str) -> None:
    """Save a figure in `DOCS` as PNG: the same figure gives the same bytes."""
    figure.savefig(DOCS / name, dpi=130, bbox_inches="tight", metadata={"Software": None})
