module tinkie.test/hegel2022

go 1.23.0

require github.com/tinkerbell/hegel v0.7.0

replace inet.af/netaddr => ./netaddr
