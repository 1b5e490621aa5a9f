"""Ctrl-C, heard once: the second one does not interrupt what the first one set going."""

from __future__ import annotations

import atexit
import signal
import threading
from types import FrameType

_CLEANING_UP = 5.0
"""Seconds after an interruption in which another one is not heard."""


def hear_interrupts_once() -> None:
    """From now on let an interruption finish before the next one is heard.

    People press Ctrl-C twice, and ``timeout`` sends its signal to the process and to its group.
    Processes that help are then half ended, temporary files half deleted. For the main thread of a
    program of ours; where another handler is in place it stays. Systems without alarms hear every
    one.

    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or not hasattr(signal, "SIGALRM"):
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        # Ignored, not swallowed: programs that are started to clean up must not hear it either.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, hear_again)
        signal.setitimer(signal.ITIMER_REAL, _CLEANING_UP)
        signal.default_int_handler(number, frame)

    def hear_again(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, interrupted)

    # Python takes its handlers back when it ends, and the alarm would then kill a slow end.
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)

    signal.signal(signal.SIGINT, interrupted)
    # Python takes its handlers back when it ends, and the alarm would then kill a slow end.
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
