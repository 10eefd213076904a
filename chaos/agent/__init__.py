"""Runs inside a target's network namespace and holds packet faults there while its stdin is open.

The path of a packet: it meets the rules of each fault in turn (rules.py), in a table that the kernel destroys with
this process. A rule whose fault has expired, or whose peers or ports are others, lets it by. Else it is counted, and
dropped by the kernel itself (loss, partition), or handed to this process (latency), which keeps it until it is due
and then lets it go on to the next fault.

__main__.py   serve, or `--probe`
serve.py      JSON lines on stdin and stdout; waits for commands, packets and time
fault.py      what a fault is asked to be: the `add` command checked
table.py      faults go into the kernel and come out of it; what is in force and what was counted is read from there
rules.py      what a fault's rules look like
hold.py       packets held until they are due, and for how long they were in truth
delay.py      when a packet is due: delay, jitter, order within a flow
nfqueue.py    the kernel's NFQUEUE: packets in, verdicts out
nftables.py   the nftables messages and expressions that rules are made of
netlink.py    messages and attributes as bytes, and a socket for them
probe.py      what this kernel can do

Needs CAP_NET_ADMIN and nothing but Python's standard library: this folder alone may be copied into an image.
Left out: how it gets into a namespace (chaos.targets), IPv6, and every fault that is not a packet's.
"""
