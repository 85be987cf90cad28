package main

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/v2/daemon/libnetwork/cluster"
	dnetwork "github.com/moby/moby/v2/daemon/network"
	"github.com/moby/moby/v2/daemon/server/volumebackend"
)

var (
	errNoSwarm  = fmt.Errorf("this engine has no swarm: %w", errdefs.ErrUnavailable)
	errNotFound = fmt.Errorf("not found, and this engine has no swarm: %w", errdefs.ErrNotFound)
)

// noSwarm answers what the API asks a swarm as moby's own does on a machine that is in none.
type noSwarm struct{}

func (noSwarm) Info(context.Context) swarm.Info {
	return swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive}
}
func (noSwarm) IsAgent() bool                            { return false }
func (noSwarm) IsManager() bool                          { return false }
func (noSwarm) SendClusterEvent(cluster.ConfigEventType) {}

func (noSwarm) GetNetworks(dnetwork.Filter, bool) ([]network.Inspect, error)   { return nil, nil }
func (noSwarm) GetNetworkSummaries(dnetwork.Filter) ([]network.Summary, error) { return nil, nil }
func (noSwarm) GetNetworksByName(string) ([]network.Network, error)            { return nil, nil }
func (noSwarm) GetNetwork(string, bool) (found network.Inspect, _ error)       { return found, errNotFound }
func (noSwarm) CreateNetwork(network.CreateRequest) (string, error)            { return "", errNoSwarm }
func (noSwarm) RemoveNetwork(string) error                                     { return errNotFound }

// noVolumes is the same for volumes of a swarm.
type noVolumes struct{}

func (noVolumes) IsManager() bool                                               { return false }
func (noVolumes) GetVolumes(volumebackend.ListOptions) ([]volume.Volume, error) { return nil, nil }
func (noVolumes) GetVolume(string) (found volume.Volume, _ error)               { return found, errNotFound }
func (noVolumes) CreateVolume(volume.CreateRequest) (*volume.Volume, error)     { return nil, errNoSwarm }
func (noVolumes) RemoveVolume(string, bool) error                               { return errNotFound }
func (noVolumes) UpdateVolume(string, uint64, volumebackend.UpdateOptions) error {
	return errNoSwarm
}
