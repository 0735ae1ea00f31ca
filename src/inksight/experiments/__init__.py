"""Sweeps and pruning: many trainings."""
