"""Waiting by looking, never by sleeping for a fixed time. Limits are generous: they end a test that has failed, and a loaded machine is no failure.
EXEAT_SLOW=1 (sanitizer builds) stretches every deadline."""
import os
import time

sanitized = os.environ.get("EXEAT_SLOW") == "1"
patience = 4.0 if sanitized else 1.0


def seconds(n):
    return n * patience


def wait_until(true, within=30.0, what="", step=0.01):
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


def wait_everywhere(true, what=""):
    """That `true()` holds whichever worker is asked. The kernel picks one for each connection: that twenty in a row go to one and the same of two
    workers happens once in half a million times."""
    wait_until(lambda: all(true() for _ in range(20)), 60, what or "every worker says so")


def stays(true, for_seconds, what=""):
    """That `true()` holds all the while: for what must not happen. Short by nature: it can only miss a bug, never invent one."""
    end = time.monotonic() + for_seconds
    while time.monotonic() < end:
        assert true(), f"did not stay so: {what or true}"
        time.sleep(0.02)
