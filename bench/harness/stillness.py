"""Whether the machine lets everybody run: a process on each core that wants to wake up all the time."""
import multiprocessing
import os
import signal
import time

PAUSE = 0.005


class Stillness:
    """Watches `cores` within its block; `longest` is for how many seconds one of them let a process wait at most."""

    def __init__(self, cores):
        self.longests = [multiprocessing.Value("d", 0.0) for _ in cores]
        self.watchers = [multiprocessing.Process(target=_watch, args=(core, longest), daemon=True)
                         for core, longest in zip(cores, self.longests)]

    @property
    def longest(self):
        """Seconds, so far."""
        return max(longest.value for longest in self.longests)

    def __enter__(self):
        for one in self.watchers:
            one.start()
        return self

    def __exit__(self, *_):
        for one in self.watchers:
            one.terminate()
            one.join()


def _watch(core, longest):
    # The parent's handler would run the parent's clean-up here.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.sched_setaffinity(0, {core})
    # A scheduler that shares by session gives it what the measured programs get.
    os.setsid()
    last = time.monotonic()
    while True:
        time.sleep(PAUSE)
        now = time.monotonic()
        longest.value = max(longest.value, now - last - PAUSE)
        last = now
