"""What every room uses: whole files or none, untrusted input, progress, interrupts, displays."""
