"""The entry point of `chaos` and of `python -m chaos`.

Answers `--version` before anything heavy is imported, since scripts ask for it often; everything else is cli.py's.
"""

from __future__ import annotations

import gc
import io
import os
import sys

from chaos.version import __version__

_COLLECT_AFTER = 50_000  # objects
_INTERRUPTED = 130


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    for name in ("stdout", "stderr"):  # closed by the caller, as in `>&-`: there is nobody to tell, which is no error
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  as long as the process
    if sys.argv[1:2] == ["--version"]:
        sys.stdout.write(f"chaos {__version__}\n")
        return
    # Start-up makes many objects and no garbage: collecting at the usual rate costs it a twentieth of its time.
    gc.set_threshold(_COLLECT_AFTER)
    # pydantic looks through every installed package for plugins otherwise; none is used here, and it takes time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a mark shows a question mark instead
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        from chaos.cli import main as run_cli

        code = run_cli()
    except KeyboardInterrupt:  # so early that nothing was begun
        code = _INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
