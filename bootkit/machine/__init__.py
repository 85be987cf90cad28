"""Which machine this is: the metadata service."""
