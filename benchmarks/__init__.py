"""Benchmarks: one script for each claim about inksight's speed and accuracy, and generators of synthetic pages."""
