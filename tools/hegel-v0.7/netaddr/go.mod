// Stands in for what is no longer served: see ../go.mod.
module inet.af/netaddr
