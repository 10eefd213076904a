"""Open-loop traffic in a process of its own: a slow reply never delays the next request.

spec.py        what the load is told: rates, time-out, seed, and how requests look (`LoadSpec`)
addresses.py   where a user's own requests go, which may change while they are sent
schedule.py    spec → the operations and when each is due; pure
client.py      the conductor's side: starts the process, reads its summaries, stops it
__main__.py    the process: `python -m chaos.load`, told what to do over stdin
generator.py   sends each operation when it is due and writes down how it ended
outcome.py     a reply, or the lack of one → ok, failed or unknown
appender.py    writes lines from a thread, so that a slow disk never delays a request
summary.py     what happened in each quarter of a second
window.py      success rate and latency over the last seconds
history.py     reads the history back
"""
