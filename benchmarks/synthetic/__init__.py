"""Synthetic pictures: pages of digits, other handwriting, single digits on paper, and pictures that are not digits.

Each generator is a function of a seed, or of a random generator, and returns the same picture every time.
"""
