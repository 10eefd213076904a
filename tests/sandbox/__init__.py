"""Tests of the shop as it is: real processes on loopback ports, started by a launcher of the tests' own."""
