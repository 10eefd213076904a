"""The shop's PostgreSQL servers: one primary and its streaming standbys.

__main__     prepares the cluster if there is none, then becomes the postmaster
binaries     finds PostgreSQL's programs
cluster      makes a primary's or a standby's cluster, its settings, and clears what a killed server left
catalogue    the 200 products the shop sells
schema.sql   tables, and the functions that place, settle and cancel an order
"""
