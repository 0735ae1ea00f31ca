"""What is inside a network and how good it is."""
