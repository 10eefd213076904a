"""Heals runs whose conductor died, from what they left in their folders. All of it may be done twice.

leases.py   the faults that a journal leaves open; pure
healer.py   reaches the system of a run and undoes what was on
dead_run.py heals one run: its faults, its helper containers, its sandbox
sweep.py    heals all runs there are, for `chaos heal` and before a run
"""
