"""The commands. No logic: each is a few lines over the stages, and imports what it needs when it is called.

The one place that maps errors to exit codes: see `main`.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import ChaosError, Exit, InvalidExperiment, UsageError
from chaos.kind import Kind
from chaos.sandbox_commands import sandbox as sandbox_commands
from chaos.version import __version__

if TYPE_CHECKING:
    from chaos.run import Finished

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
Seed = Annotated[
    int | None, typer.Option(metavar="N", min=0, max=2**63 - 1, help="Draw with this seed instead of the file's.")
]


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
    except OSError as error:  # a full disk, a name that is too long: the machine's, and no mistake of ours
        _print(f"chaos: {error}\n", err=True)
        return Exit.NO_SANDBOX
    except Exception:  # noqa: BLE001  a crash of ours would exit with 1, which means that the shop failed
        traceback.print_exc()
        typer.echo("chaos: this is a mistake in chaos itself, and nothing was proved; please report it", err=True)
        return Exit.INCONCLUSIVE
    return Exit.PASSED


def _show(finished: Finished, *, as_json: bool) -> None:
    """The verdict, on standard output."""
    from chaos.report import terminal
    from chaos.report.as_json import render as render_json
    from chaos.report.live import SteadfastConsole

    page = str(finished.folder.path / "report.html")
    console = SteadfastConsole()
    if as_json:
        _print(render_json(finished.judgement))
    elif console.is_terminal:
        console.print(terminal.render(finished.judgement, page))
    else:
        _print(terminal.plain(finished.judgement, page))


def _print(text: str, *, err: bool = False) -> None:
    """Prints; where nothing can be written, as in `| head`, the run goes on and the exit code still tells."""
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
def run(
    files: Files,
    sandbox: Annotated[
        Kind | None, typer.Option(help="Where the shop runs; embedded if left out.", show_default=False)
    ] = None,
    i_own_this: Annotated[
        list[str] | None,
        typer.Option(metavar="PROJECT", help="This compose project is yours to break, without a label on it."),
    ] = None,
    report: Annotated[Path, typer.Option(metavar="DIR", help="Where the runs' folders are made.")] = Path("runs"),
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one JUnit XML file for all runs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each report as JSON, all else on stderr.")] = False,
    seed: Seed = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the shop up after the run, until Ctrl-C.")] = False,
) -> None:
    """Run experiments and say whether order placement held."""
    from chaos.batch import run_all
    from chaos.run import Options
    from chaos.shipped import find_experiment

    batch = run_all(
        [find_experiment(name) for name in files],
        Options(
            runs=report,
            argv=["chaos", *sys.argv[1:]],
            sandbox=sandbox,
            owned=i_own_this or (),
            seed=seed,
            keep=keep,
            json=as_json,
        ),
        report_to=junit,
        say=lambda text: _print(text + "\n", err=as_json),
        complain=lambda text: _print(text + "\n", err=True),
        show=lambda finished: _show(finished, as_json=as_json),
    )
    raise typer.Exit(batch.exit)


@app.command()
def judge(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, as `chaos run` named it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Judge a finished run again, from its files alone, and write its reports anew."""
    from chaos.folder import existing
    from chaos.run import conclude

    finished = conclude(existing(folder))
    _show(finished, as_json=as_json)
    raise typer.Exit(finished.judgement.exit)


@app.command()
def heal(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]…", help="Folders or names of runs; all that may have left something if none."),
    ] = None,
    only_look: Annotated[
        bool, typer.Option("--check", help="Only say what is left; exit code 4 if anything is.")
    ] = False,
) -> None:
    """Undo what dead runs left on Docker: faults, helper containers, sandboxes. Twice is harmless."""
    from chaos.heal.sweep import sweep

    swept = sweep(runs or [], typer.echo, only_look=only_look)
    for left in swept.left:
        typer.echo(f"LEFT  {left}", err=not only_look)
    if not swept.found and not swept.left:
        typer.echo("nothing to heal")
    raise typer.Exit(Exit.NOT_HEALED if swept.left else Exit.PASSED)


@app.command()
def doctor() -> None:
    """Say what this machine can do, and what to do about the rest."""
    from chaos.doctor import examine

    for finding in examine():
        typer.echo(f"{'ok' if finding.works else 'no':4}{finding.what}: {finding.detail}")
        if finding.remedy:
            typer.echo(f"    → {finding.remedy}")


app.add_typer(sandbox_commands, name="sandbox")


@app.command()
def check(files: Files) -> None:
    """Check experiment files without touching anything: syntax, names, units, windows."""
    from chaos.plan import plan, summary
    from chaos.shipped import find_experiment
    from chaos.systems import system_of
    from chaos.targets.base import Terrain
    from chaos.validate import check as check_file

    codes = []
    for name in files:
        path = find_experiment(name)
        try:
            system = system_of(path)
            parsed = check_file(path, Terrain(system, {}))
        except InvalidExperiment as error:
            typer.echo(str(error), err=True)
            codes.append(error.exit)
        else:
            typer.echo(f"ok  {parsed.file}: {summary(plan(parsed.experiment, system, seed=0))}")
    raise typer.Exit(Exit.worst(codes))


@app.command()
def plan(file: File, seed: Seed = None) -> None:
    """Print the timeline: each fault, on what, what it does and how it is undone; changes nothing."""
    from chaos.plan import describe
    from chaos.plan import plan as make_plan
    from chaos.seed import seed_for
    from chaos.shipped import find_experiment
    from chaos.systems import system_of
    from chaos.targets.base import Terrain
    from chaos.validate import check as check_file

    path = find_experiment(file)
    system = system_of(path)
    experiment = check_file(path, Terrain(system, {})).experiment
    drawn = seed_for(experiment, seed)
    typer.echo(describe(make_plan(experiment, system, drawn)))
    if seed is None and experiment.seed is None:
        typer.echo(f"\nThe seed was drawn just now. To run exactly this: chaos run {file} --seed {drawn}")


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
