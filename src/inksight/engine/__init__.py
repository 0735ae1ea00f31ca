"""The compiled engine (`native/`) seen from Python."""
