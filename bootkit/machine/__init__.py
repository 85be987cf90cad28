"""Which machine this is."""
