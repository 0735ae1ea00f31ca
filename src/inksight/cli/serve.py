"""``inksight serve``: the HTTP service."""

import click


@click.command()
def serve() -> None:
    """Answer requests over HTTP."""
    raise NotImplementedError
