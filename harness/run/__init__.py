"""Drives the workers: which block when, in rounds; every planned cell and utterance ends as a row.

Cells of one round are measured next to each other, in an order drawn anew each round from the
experiment's seed, so that drift and neighbours hit all alike; one worker computes at a time.
"""
