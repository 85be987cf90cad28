"""The service `dhcp`: dhcpcd on every NIC, and the choice of the NIC that the machine uses."""

import tinkie  # noqa: F401 - comes first
