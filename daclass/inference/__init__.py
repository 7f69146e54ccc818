"""Intervals and tests: arrays in, arrays out; no table, no study."""
