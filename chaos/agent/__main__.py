"""`python -m chaos.agent` serves commands on stdin until it ends; `--probe` prints what this kernel can do."""

import json
import sys


def main() -> int:
    """The exit code: 0, 1 where no fault can be held here, 2 for arguments that mean nothing."""
    match sys.argv[1:]:
        case []:
            from .serve import main as serve

            return serve()
        case ["--probe"]:
            from .probe import probe

            sys.stdout.write(json.dumps(probe()) + "\n")
            return 0
        case _:
            sys.stderr.write("usage: python -m chaos.agent [--probe]\n")
            return 2


if __name__ == "__main__":
    sys.exit(main())
