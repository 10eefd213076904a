"""The commands. No logic: each is a few lines over the stages, and imports what it needs when it is called.

The one place that maps errors to exit codes: see `main`.
"""

from __future__ import annotations

import traceback
from typing import Annotated

import typer

from chaos.errors import ChaosError, Exit, InvalidExperiment, UsageError
from chaos.version import __version__

_EPILOG = (
    "Exit codes: 0 passed · 1 failed · 2 usage or invalid file · 3 inconclusive, or this machine cannot do it · "
    "4 a fault could not be healed · 5 the sandbox would not start · 130 interrupted, healed"
)

app = typer.Typer(
    name="chaos",
    help="Inject faults into a running shop, keep placing orders, and say whether order placement held.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Files = Annotated[list[str], typer.Argument(metavar="FILE…", help="Experiment files, or names of stock experiments.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="An experiment file, or the name of a stock experiment.")]
Seed = Annotated[int | None, typer.Option(metavar="N", min=0, help="Draw with this seed instead of the file's.")]


def main() -> int:
    """Runs the command line; returns the exit code, whatever went wrong."""
    try:
        app()
    except SystemExit as end:  # how typer ends, with a usage error as 2
        return end.code if isinstance(end.code, int) else Exit.PASSED
    except InvalidExperiment as error:
        typer.echo(str(error), err=True)
        return error.exit
    except ChaosError as error:
        typer.echo(f"chaos: {error}", err=True)
        return error.exit
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception:  # noqa: BLE001  a crash of ours would exit with 1, which means that the shop failed
        traceback.print_exc()
        typer.echo("chaos: this is a mistake in chaos itself, and nothing was proved; please report it", err=True)
        return Exit.INCONCLUSIVE
    return Exit.PASSED


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chaos {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Takes the options that stand before a command."""


@app.command()
def check(files: Files) -> None:
    """Check experiment files without touching anything: syntax, names, units, windows."""
    from chaos.plan import plan, summary
    from chaos.shipped import find_experiment, load_system
    from chaos.targets.base import Terrain
    from chaos.validate import check as check_file

    terrain = Terrain(load_system(), missing={})
    codes = []
    for name in files:
        try:
            parsed = check_file(find_experiment(name), terrain)
        except InvalidExperiment as error:
            typer.echo(str(error), err=True)
            codes.append(error.exit)
        else:
            typer.echo(f"ok  {parsed.file}: {summary(plan(parsed.experiment, terrain.system, seed=0))}")
    raise typer.Exit(Exit.worst(codes))


@app.command()
def plan(file: File, seed: Seed = None) -> None:
    """Print the timeline: each fault, on what, what it does and how it is undone; changes nothing."""
    from chaos.plan import describe
    from chaos.plan import plan as make_plan
    from chaos.seed import seed_for
    from chaos.shipped import find_experiment, load_system
    from chaos.targets.base import Terrain
    from chaos.validate import check as check_file

    system = load_system()
    experiment = check_file(find_experiment(file), Terrain(system, missing={})).experiment
    typer.echo(describe(make_plan(experiment, system, seed_for(experiment, seed))))


@app.command()
def faults(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One fault, with its parameters.")] = None,
) -> None:
    """List the faults, or print one fault's parameters, needs and undo, with an example."""
    from chaos import catalogue
    from chaos.faults import words
    from chaos.shipped import load_system
    from chaos.words import suggest

    if name is None:
        typer.echo(catalogue.table())
    elif name in words():
        typer.echo(catalogue.page(name, load_system()))
    else:
        raise UsageError(f"there is no fault {name!r}{suggest(name, words())}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of experiment files, for editors."""
    import json

    from chaos.schema import schema as whole

    typer.echo(json.dumps(whole(), indent=2, ensure_ascii=False))
