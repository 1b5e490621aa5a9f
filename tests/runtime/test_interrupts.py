"""Ctrl-C pressed twice, and again when the first is long over."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from srscope.runtime import interrupts
from srscope.runtime.interrupts import hear_interrupts_once


@pytest.fixture(autouse=True)
def _handlers_are_put_back() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # the handler runs between two instructions


def test_the_second_of_two_is_the_same_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_CLEANING_UP", 0.5)
    hear_interrupts_once()
    with pytest.raises(KeyboardInterrupt):
        press()
    press()
    press()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as programs it starts inherit it
    time.sleep(0.6)
    with pytest.raises(KeyboardInterrupt):
        press()


def test_other_handlers_and_other_threads_are_left_alone() -> None:
    thread = threading.Thread(target=hear_interrupts_once)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hear_interrupts_once()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
