module tinkie.test/hegel-v0.7

go 1.23.0

require github.com/tinkerbell/hegel v0.7.0

// Its commit of packethost/cacher requires this module, which is no longer served, in a package that hegel has no use for.
replace inet.af/netaddr => ./netaddr
