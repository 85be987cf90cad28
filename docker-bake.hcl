# One target for each image. `make images` builds them, after the base image tinkie/base:build.

group "default" {
  targets = ["kernel", "init", "containerd", "dhcp", "ntp", "rngd", "bootkit", "tink-docker"]
}

target "image" {
  name    = image
  matrix  = { image = ["kernel", "init", "containerd", "ntp", "rngd"] }
  context = "images/${image}"
  tags    = ["tinkie/${image}:build"]
}

target "dhcp" {
  context    = "."
  dockerfile = "images/dhcp/Dockerfile"
  tags       = ["tinkie/dhcp:build"]
}

target "agent" {
  name       = agent
  matrix     = { agent = ["bootkit", "tink-docker"] }
  context    = "."
  dockerfile = "Dockerfile.${agent}"
  tags       = ["tinkie/${agent}:build"]
}
