"""The commands below `chaos sandbox`: the shop alone, for a game day or for looking at it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

sandbox = typer.Typer(help="The shop alone, for a game day or for looking at it.", no_args_is_help=True)


@sandbox.command()
def up(
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The loopback port of its pages; 0: any.")
    ] = 0,
    weak: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Switch a protection off; may be repeated.")
    ] = None,
    report: Annotated[Path, typer.Option(metavar="DIR", help="Where the folder with its logs is made.")] = Path("runs"),
) -> None:
    """Bring the shop up and leave it running."""
    from chaos import standby

    found = standby.up(report, port=port, weak=weak or [])
    typer.echo(f"the shop is up at {found.url}  (logs: {found.folder}/logs; `chaos sandbox down` ends it)")


@sandbox.command()
def down() -> None:
    """End the shop that is up; harmless when there is none."""
    from chaos import standby

    found = standby.down()
    typer.echo(f"the shop at {found.url} is down" if found else "the shop was not up")


@sandbox.command()
def status() -> None:
    """Say whether the shop is up, and where."""
    from chaos import standby

    found = standby.status()
    weak = f", without {', '.join(found.weak)}" if found and found.weak else ""
    typer.echo(f"the shop is up at {found.url} since {found.since}{weak}" if found else "the shop is not up")
