"""How far training is: a bar on a terminal, lines that get rarer in a log."""

from __future__ import annotations

import logging
import sys
import time
from datetime import timedelta

from tqdm import tqdm

log = logging.getLogger(__name__)

FIRST_SECONDS, LAST_SECONDS = 5.0, 300.0  # between two lines, at the start and in a long training


class Progress:
    """Steps done of all steps.

    Args:
        name: what is trained.
        total: steps in all.
        done: steps that an earlier process did.
    """

    def __init__(self, name: str, total: int, done: int, *, shown: bool = True) -> None:
        self.name, self.total, self.first, self.done, self.shown = name, total, done, done, shown
        terminal = shown and sys.stderr.isatty()
        self.bar = tqdm(desc=name, total=total, initial=done, unit="step") if terminal else None
        self.began = self.reported = time.monotonic()

    def due(self) -> bool:
        """Count a step; whether a report is due."""
        self.done += 1
        if self.bar:
            self.bar.update()
        now = time.monotonic()
        interval = min(max((now - self.began) / 10, FIRST_SECONDS), LAST_SECONDS)
        return self.shown and (self.done == self.total or now - self.reported >= interval)

    def report(self, text: str) -> None:
        """Show `text` with the time left."""
        self.reported = time.monotonic()
        if self.bar:
            self.bar.set_postfix_str(text)
            return
        speed = (self.done - self.first) / (self.reported - self.began)
        left = timedelta(seconds=round((self.total - self.done) / speed))
        log.info("%s: step %d/%d, %s, %s left", self.name, self.done, self.total, text, left)

    def close(self) -> None:
        if self.bar:
            self.bar.close()
