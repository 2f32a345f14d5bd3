"""What was checked, and what of it failed."""

from __future__ import annotations

import sys
import threading


class Checks:
    """Counts checks of any number of threads. Only what fails is worth a line."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.lock = threading.Lock()

    def that(self, is_so: bool, what: str) -> bool:
        """One check: `what` says what is wrong if it is not so."""
        with self.lock:
            if is_so:
                self.passed += 1
            else:
                self.failed += 1
                print(f"FAILED: {what}", flush=True)
        return is_so

    def same(self, found: object, expected: object, what: str) -> bool:
        """One check of a value."""
        return self.that(found == expected, f"{what}: {found!r}, not {expected!r}")

    def end(self) -> None:
        """Prints the totals, and ends the program."""
        print(f"serve: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def figure(text: str) -> None:
    """A figure that was measured, for the results."""
    print(f"    {text}", flush=True)
