# One target for each image. `make images` builds them, after the base image tinkie/base:build.

group "default" {
  targets = ["kernel", "init", "containerd", "dhcp", "ntp", "rngd", "bootkit", "tink-docker"]
}

target "image" {
  name    = image
  matrix  = { image = ["kernel", "init", "ntp", "rngd"] }
  context = "images/${image}"
  tags    = ["tinkie/${image}:build"]
}

target "from-the-project" {
  name       = image
  matrix     = { image = ["containerd", "dhcp"] }
  context    = "."
  dockerfile = "images/${image}/Dockerfile"
  tags       = ["tinkie/${image}:build"]
}

target "agent" {
  name       = agent
  matrix     = { agent = ["bootkit", "tink-docker"] }
  context    = "."
  dockerfile = "Dockerfile.${agent}"
  tags       = ["tinkie/${agent}:build"]
}

# tink-docker with Debian's engine in place of the one of programs/ (ADR 19): not in a release.
target "tink-docker-debian" {
  inherits = ["tink-docker"]
  args     = { engine = "debian" }
  tags     = ["tinkie/tink-docker-debian:build"]
}
