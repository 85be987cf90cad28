package config

import (
	"errors"

	"github.com/moby/moby/api/types/swarm"
)

// ParseGenericResources parses what a node offers to a swarm; this engine has none.
func ParseGenericResources(value []string) ([]swarm.GenericResource, error) {
	if len(value) > 0 {
		return nil, errors.New("node-generic-resources: this engine has no swarm")
	}
	return nil, nil
}
