"""Batches for training and evaluation, made on the host by threads or by worker processes."""
