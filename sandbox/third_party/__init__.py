"""What the two third parties, payments and shipping, share.

ledger       their append-only record, which survives them
fault        the fault a control call asks for: which requests it hits, and when it ends
public_port  the port the shop calls, which the fault can close, and the misbehaviour itself
refusal      how a closed port refuses connections, and how many it refused
control      the port that sets faults and hands out the ledger
"""
