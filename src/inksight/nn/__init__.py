"""The network: parameters, forward pass, the model and its file, the out-of-distribution detector."""
