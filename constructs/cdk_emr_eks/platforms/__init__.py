"""Whole platforms, in the order of their parts: the constructs that users start with."""
