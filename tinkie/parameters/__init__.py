"""The kernel command line: one table of parameters, and the types of their values."""
