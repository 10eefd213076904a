"""The first process of a run's world: starts the conductor, reaps orphans, and takes everything with it when it ends.

It is PID 1 where that world has namespaces. It ends when the conductor has ended, or when its standard input closes,
which means that the command the user started is gone, whatever ended it. A byte on standard input is the number of a
signal, handed on to the conductor. In a pid namespace the kernel then kills every process in it; on plain loopback (no
namespaces here) the conductor and the services have asked the kernel to be killed with their parent, and the folder
with their data is removed here. On Docker the conductor alone is killed; its watchdog lives on and does the rest.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its parent dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def supervise(conduct: Callable[[], int], temporary: Path | None = None) -> NoReturn:
    """Runs `conduct` in a child and exits with its code; standard input is the life line.

    The child begins with SIGINT blocked, so that an interruption waits until `conduct` is ready for it. `temporary` is
    a folder to remove where nobody outside is left to do it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parent = os.getpid()
    sys.stdout.flush()
    conductor = os.fork()
    if conductor == 0:
        die_with_parent()
        if os.getppid() != parent:
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os._exit(_run(conduct))
    # A thread of Python handlers is not needed: a byte on this pipe says that some child ended.
    ended, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # orders come on standard input only
    while (code := _reap(conductor)) is None:
        readable, _, _ = select.select([0, ended], [], [])
        if ended in readable:
            os.read(ended, 4096)
        if 0 in readable:
            order = os.read(0, 1)
            if not order:
                os.kill(conductor, signal.SIGKILL)
                if temporary is not None:
                    _remove(temporary)
                os._exit(1)
            os.kill(conductor, order[0])
    os._exit(code)


def _remove(temporary: Path) -> None:
    """Once the conductor is dead and its services have died with it, removes their data."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
    shutil.rmtree(temporary, ignore_errors=True)


def _run(conduct: Callable[[], int]) -> int:
    try:
        return conduct()
    except BaseException:  # noqa: BLE001  the edge of the process: whatever it is, it must be seen and the exit code tell
        sys.excepthook(*sys.exc_info())
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _reap(conductor: int) -> int | None:
    """Reaps every child that has ended; the conductor's exit code once it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 1
        if pid == 0:
            return None
        if pid == conductor:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
