module tinkie.test/tink-v0.6

go 1.23.0

require github.com/tinkerbell/tink v0.6.0
