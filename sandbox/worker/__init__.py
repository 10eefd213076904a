"""Settles orders behind the customer's back: charges them, and books their shipments.

__main__   one loop for charges, one for shipments, and a port that tells how far they are
outbox     the rows of work: claiming, finishing, putting off
settle     one loop: claim a batch, do it side by side, retry with backoff behind a circuit breaker
"""
