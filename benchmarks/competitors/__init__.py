"""The frameworks that `benchmarks.frameworks` compares inksight with: one worker process each."""
