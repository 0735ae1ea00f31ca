"""Small tools that every room uses: atomic files, untrusted input, validation, progress, interrupts, displays."""
