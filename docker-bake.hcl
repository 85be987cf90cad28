# One target per image. Built by `make images`, which first makes tinkie/base:build.

group "default" {
  targets = ["kernel", "init", "containerd", "dhcp", "ntp", "rngd", "bootkit", "tink-docker"]
}

# Debian's packages are fetched with the build host's own name servers and proxies.
target "_common" {
  network = "host"
}

target "image" {
  inherits = ["_common"]
  name     = image
  matrix   = { image = ["kernel", "init", "containerd", "dhcp", "ntp", "rngd"] }
  context  = "images/${image}"
  tags     = ["tinkie/${image}:build"]
}

target "agent" {
  inherits   = ["_common"]
  name       = agent
  matrix     = { agent = ["bootkit", "tink-docker"] }
  context    = "."
  dockerfile = "Dockerfile.${agent}"
  tags       = ["tinkie/${agent}:build"]
}
