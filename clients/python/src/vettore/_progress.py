"""The progress bar that `progress=True` draws on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sized
from typing import Any, TypeAlias

from .types import Progress

ProgressOption: TypeAlias = bool | Callable[[Progress], Any]

WIDTH = 30


def reporter(option: ProgressOption, what: str) -> Callable[[Progress, bool], None]:
    """A function that takes each state, and whether it is the last one."""
    if callable(option):
        return lambda progress, _: option(progress)
    if not option:
        return lambda progress, _: None
    return _Bar(what).show


def total_of(items: object) -> int | None:
    """How many items there are, where that is known."""
    return len(items) if isinstance(items, Sized) else None


class _Bar:
    def __init__(self, what: str) -> None:
        self._what = what
        self._shown_at = 0.0

    def show(self, progress: Progress, last: bool) -> None:
        now = time.monotonic()
        if not last and now - self._shown_at < (0.1 if sys.stderr.isatty() else 5.0):
            return
        self._shown_at = now
        start, end = ("\r", "\n" if last else "") if sys.stderr.isatty() else ("", "\n")
        sys.stderr.write(f"{start}{self.line(progress)}{end}")
        sys.stderr.flush()

    def line(self, progress: Progress) -> str:
        rate = progress.done / progress.elapsed_s if progress.elapsed_s > 0 else 0.0
        text = f"{self._what} {progress.done:,}"
        if progress.total:
            share = min(1.0, progress.done / progress.total)
            left = (progress.total - progress.done) / rate if rate > 0 else 0.0
            bar = "#" * int(share * WIDTH)
            text += f"/{progress.total:,} [{bar:<{WIDTH}}] {share:4.0%}, {left:,.0f} s left"
        text += f", {rate:,.0f}/s"
        return text + (f", {progress.failed:,} failed" if progress.failed else "")
