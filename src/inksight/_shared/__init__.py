"""Helpers that every room uses: atomic file writes, untrusted files, validation, progress, interrupts, displays."""
