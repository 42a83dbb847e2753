from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from vaegmm.cli import (
    adapt,
    benchmark,
    classify,
    compare,
    curves,
    evaluate,
    export,
    film,
    info,
    queue,
    sizes,
    train,
)
from vaegmm.cli.output import say

_COMMANDS = (
    *(train, queue, compare, curves),
    *(evaluate, classify, adapt, export, film, benchmark, sizes, info),
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0, 1 for a training that failed, 2 for bad input, 130 for one interrupted.
    """
    options = _parser().parse_args(arguments)
    # Imported here, so that --help does not wait for them.
    from vaegmm.checkpoint import CheckpointError
    from vaegmm.data import DataError
    from vaegmm.runs import RunError
    from vaegmm.training import NonFiniteLossError

    try:
        options.run(options)
        sys.stdout.flush()
    except (CheckpointError, DataError, RunError, ValueError) as error:
        return say(error, 2)
    except NonFiniteLossError as error:
        return say(error, 1)
    except KeyboardInterrupt:
        return say(_stopped(options), 130)
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if os.environ.get("VAEGMM_TRACEBACK"):
            traceback.print_exc()
        reason = " ".join(str(error).split())
        return say(
            f"{type(error).__name__}: {reason} (set VAEGMM_TRACEBACK=1 to see where it arose)", 1
        )
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence, without the usage that argparse puts before it."""
        self.exit(say(f"{message}. See {self.prog} --help.", 2))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vaegmm",
        description="A variational autoencoder whose latent space is clustered by a Gaussian "
        "mixture: train it, score it, classify with it.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in _COMMANDS:
        command.add(commands)
    return parser


def _stopped(options: argparse.Namespace) -> str:
    if getattr(options, "out", None) and Path(options.out, "config.json").exists():
        return (
            "stopped; the last finished epoch is kept. "
            f"Go on with: python -m vaegmm train --resume --out {options.out}"
        )
    return "stopped."
