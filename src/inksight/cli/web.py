"""``inksight web``: the page on which one draws a digit and looks inside the network."""

from threading import Event

import click

from inksight._shared.validation import check
from inksight.cli.options import SHIPPED_OR_FILE, check_outputs, json_option, print_json


@click.command()
@click.option("--model", default="post", show_default=True, metavar="MODEL", help=SHIPPED_OR_FILE)
@click.option("--out", metavar="DIR", help="Write the page as a folder for any web server.")
@click.option("--single", metavar="FILE", help="Write the page as one HTML file, which opens from disk.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT",
              help="Port to serve on.  [default: a free one]")  # fmt: skip
@click.option("--open/--no-open", "show", default=True, help="Open the served page in a browser.  [default: --open]")
@json_option
def web(model: str, out: str | None, single: str | None, port: int, show: bool, as_json: bool) -> None:
    """Draw a digit and look inside the network, in a browser.

    The page shows how the network reads a drawing or a picture: what it sees, each filter and feature map, the sums
    written out in numbers, and what spoke for the decision. Filters can be switched off, and weights changed. All of it
    is computed in the browser. Without --out and --single, the page is served on 127.0.0.1 until Ctrl-C.

    \b
    Examples:
      inksight web
      inksight web --single page.html
      inksight web --out site/ --model model.safetensors
    """
    from inksight.web.server import serve
    from inksight.web.site import write_page, write_site

    writes = bool(out or single)
    check(writes or not as_json, "--json", as_json, "given with --out or --single")
    check_outputs(single, inputs=[model])
    if out is not None:
        files = write_site(out, model)
    if single is not None:
        write_page(single, model)
    if as_json:
        print_json({"folder": out, "files": [str(path) for path in files] if out else [], "page": single})
    elif writes:
        click.echo("\n".join(f"page: {path}" for path in (out, single) if path))
    else:
        with serve(model, port=port) as address:
            click.echo(f"{address} serves the page until you press Ctrl-C")
            if show:
                click.launch(address)
            wait()


def wait() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    try:
        Event().wait()
    except KeyboardInterrupt:
        click.echo("stopped")
