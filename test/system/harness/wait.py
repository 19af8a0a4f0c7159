"""Waiting by looking, never by sleeping for a fixed time. EXEAT_SLOW=1 (sanitizer builds) stretches every deadline."""
import os
import time

sanitized = os.environ.get("EXEAT_SLOW") == "1"
patience = 4.0 if sanitized else 1.0


def seconds(n):
    return n * patience


def wait_until(true, within=10.0, what="", step=0.01):
    """The first truthy value of `true()`; fails when none came in time."""
    end = time.monotonic() + seconds(within)
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {seconds(within):g} s: {what or true}")
        time.sleep(step)
        step = min(step * 1.5, 0.1)


def stays(true, for_seconds, what=""):
    """That `true()` holds all the while: for what must not happen. Short by nature: it can only miss a bug, never invent one."""
    end = time.monotonic() + for_seconds
    while time.monotonic() < end:
        assert true(), f"did not stay so: {what or true}"
        time.sleep(0.02)
