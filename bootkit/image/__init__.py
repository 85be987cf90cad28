"""The worker's image, and the passwords of registries."""
