"""Any picture to a 28x28 image like those of MNIST."""
