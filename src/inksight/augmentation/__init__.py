"""Training images changed at random, and corruptions to test with."""
