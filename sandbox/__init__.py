"""A whole Tinkerbell on one machine, and virtual machines that netboot from it."""
