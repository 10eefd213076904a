"""Probes at a fixed rate → samples.

samples.py    what one asking found, and the file of them
observer.py   asks every probe at its own rate, each from a thread of its own
ask.py        how each kind of probe is asked
number.py     asks a database for one number, and never waits longer than it may
"""

from chaos.observe.observer import Observer
from chaos.observe.samples import Sample, samples

__all__ = ["Observer", "Sample", "samples"]
