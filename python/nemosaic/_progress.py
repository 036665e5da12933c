"""Progress on standard error, as the command shows it: rate and time left."""

import sys
import time


class Progress:
    """One task: a line redrawn on a terminal, else a line every ten seconds and one at the end."""

    def __init__(self, label: str, total: int, before: int, unit: str, quiet: bool) -> None:
        self._label = label if before == 0 else f"{label} ({before:,} from before)"
        self._total, self._done, self._unit, self._quiet = total - before, 0, unit, quiet
        self._start = self._last = time.monotonic()
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if self._quiet or now - self._last < (0.1 if self._terminal else 10):
            return
        self._last = now
        rate = self._done / max(1e-9, now - self._start)
        left = _duration((self._total - self._done) / max(rate, 1e-9))
        line = f"{self._label}  {self._done:,}/{self._total:,} {self._unit}  {_rate(rate)}/s  {left} left"
        sys.stderr.write(f"\r\033[2K{line[:100]}" if self._terminal else f"{line}\n")

    def note(self, text: str) -> None:
        if not self._quiet:
            sys.stderr.write(f"\r\033[2K{text}\n" if self._terminal else f"{text}\n")

    def end(self) -> None:
        if self._quiet or self._done == 0:
            return
        seconds = time.monotonic() - self._start
        line = f"{self._label}  {self._done:,} {self._unit} in {seconds:.1f} s  {_rate(self._done / max(seconds, 1e-9))}/s"
        sys.stderr.write(f"\r\033[2K{line}\n" if self._terminal else f"{line}\n")


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
