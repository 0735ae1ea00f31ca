"""What the benchmarks share: claims, arguments, data, a hold-out model, results, and a description of the machine."""
