"""Looks at a dataset before it is trained on: facts, faults, and what follows from them."""
