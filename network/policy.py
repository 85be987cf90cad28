"""Every wait, bound and limit of `network`: name, value, unit and why.

It imports nothing, so that any module can import it.
"""

# == network/leases.py, network/dhcpcd.py: what servers on any network say

# Programs ask three name servers (resolver(3)); nobody needs more domains or time servers.
LEASE_VALUES_MAXIMUM = 16

# One list of a lease; a DHCP option in several parts can be as long as a packet.
LEASE_LIST_CHARACTERS = 8192

# dhcpcd answers within milliseconds.
DHCPCD_ANSWER_SECONDS = 3.0

# One message of dhcpcd; with all options of a full answer it has some 10 KiB.
DHCPCD_MESSAGE_BYTES = 256 * 1024

# Messages in one answer: four for each interface.
DHCPCD_MESSAGES_MAXIMUM = 1024

# == network/kernel.py

# `ip` takes milliseconds; it may wait for a lock of the kernel.
IP_SECONDS = 5.0

# == network/routes.py

# Routes of one family that are copied for the NIC in use, one call of `ip` each: any router on the
# link may advertise thousands. A DHCP packet has some 200 at most.
ROUTES_COPIED_MAXIMUM = 256

# == network/probe.py, network/lookups.py: does a NIC reach the host?

# The answer to an echo request.
ECHO_SECONDS = 1.0

# A TCP connection, if there was no echo: TCP sends a lost SYN again after 1 s.
CONNECT_SECONDS = 3.0

# A name look-up: each name server is asked twice, the second time after half of it.
LOOKUP_SECONDS = 2.0

# Of one NIC, as resolver(3) does it.
LOOKUP_SERVERS_MAXIMUM = 3

# Of one NIC, as resolver(3) does it.
LOOKUP_DOMAINS_MAXIMUM = 6

# An address of the host is looked up anew after this, or as soon as it does not answer.
LOOKUP_KEPT_SECONDS = 60.0

# == network/choice.py, network/service.py, network/loop.py: when it looks

# A cable may move behind the switch, without an event: the NIC in use is tested after a random time
# between the two. Machines that were switched on together do not ask together.
REACHED_LOOK_FIRST_SECONDS = 8.0
REACHED_LOOK_CEILING_SECONDS = 12.0

# While no NIC reaches the host: the wait doubles from the first to the ceiling, and is random in
# its upper quarter. An event ends it.
UNREACHED_LOOK_FIRST_SECONDS = 2.0
UNREACHED_LOOK_CEILING_SECONDS = 60.0

# A NIC that the command line prefers, but that does not reach the host, is tested again after the
# first, doubled up to the ceiling: a test takes seconds in which no event is read.
PREFERRED_TEST_FIRST_SECONDS = 10.0
PREFERRED_TEST_CEILING_SECONDS = 60.0

# Links, addresses and leases are read anew after this, also without an event. An event can only be
# lost together with others, which the kernel then says.
READ_ANEW_SECONDS = 600.0

# Routes or addresses that the kernel refuses are tried again after the first, doubled up to the
# ceiling: a link that was lost for a moment may have taken the way to a gateway. Any other step
# that failed is tried again after the ceiling, or at the next event.
CHANGE_AGAIN_FIRST_SECONDS = 2.0
CHANGE_AGAIN_CEILING_SECONDS = 60.0

# The same for a bond, one of its NICs or a VLAN: a NIC that tries to join has no link meanwhile.
STEP_AGAIN_FIRST_SECONDS = 60.0
STEP_AGAIN_CEILING_SECONDS = 600.0

# Events come in groups: one look for all of eight NICs.
EVENTS_SETTLE_SECONDS = 0.1

# After so many looks for events within as many seconds, events settle for a second: an interface
# that comes and goes all the time costs no more CPU than this.
EVENT_LOOKS_MAXIMUM = 30
EVENTS_SETTLE_LONG_SECONDS = 1.0

# A failed step, such as a route that the kernel refuses, is logged again after this.
SAME_ERROR_SECONDS = 600.0

# == network/reports.py, network/loop.py: what is reported

# A host that is not reached is reported after this, and again after FACTOR times as long.
UNREACHABLE_FIRST_SECONDS = 10.0
UNREACHABLE_LOG_FACTOR = 3

# A NIC that the command line names is reported missing after this: a driver may need time.
NIC_MISSING_SECONDS = 60.0

# The same for the NIC of `ipam` or `vlan_id`. Until then dhcpcd waits for the NIC of `ipam`, where
# it has to leave a family alone, and for the bond.
STATIC_NIC_MISSING_SECONDS = 20.0

# == network/metadata_bond.py

# A bond that the metadata asks for is taken back if no NIC reaches the host after this: a switch
# may need 30 s to let a port speak that has had a new link (spanning tree).
BOND_TRIAL_SECONDS = 90.0

# The file that bootkit writes: 16 NICs and all options are below a kilobyte.
METADATA_BOND_BYTES = 4096

# == network/loop.py

# dhcpcd's socket appears some 20 ms after its start.
DHCPCD_RETRY_SECONDS = 0.1
