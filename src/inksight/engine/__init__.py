"""The interface to the native engine (`native/`), with XLA where it is missing."""
