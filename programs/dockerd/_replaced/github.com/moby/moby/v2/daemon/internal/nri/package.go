// Package nri is the node resource interface, left out: it starts plug-ins that nobody installs.
package nri

import (
	"context"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/v2/daemon/container"
	"github.com/moby/moby/v2/daemon/pkg/opts"
)

// NRI does nothing, as moby's own does when it is not enabled.
type NRI struct{}

// ContainerLister is what moby's own asks for containers.
type ContainerLister interface{ List() []*container.Container }

// Config has what the engine fills in.
type Config struct {
	DaemonConfig    opts.NRIOpts
	ContainerLister ContainerLister
}

func NewNRI(context.Context, Config) (*NRI, error) { return &NRI{}, nil }

func (*NRI) GetInfo() *system.NRIInfo { return nil }

func (*NRI) Shutdown(context.Context) {}

func (*NRI) PrepareReload(opts.NRIOpts) (func() error, error) {
	return func() error { return nil }, nil
}

func (*NRI) CreateContainer(context.Context, *container.Container) (func(), error) {
	return func() {}, nil
}
