"""Waiting for what comes by itself."""

import time


def until(check, seconds=20):
    """What `check` returns once that is true; asked again and again, for so long."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > deadline:
            assert value, f"not true within {seconds} s"
            return value
        time.sleep(0.01)
