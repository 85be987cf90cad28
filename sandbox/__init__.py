"""A whole Tinkerbell on one machine, and virtual machines that boot from it."""
