package main

import (
	"context"

	"github.com/containerd/containerd/v2/core/transfer"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/errdefs"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
)

// The restart plug-in makes itself a client of everything that is in containerd, and requires only a
// part of that by name: upstream, Kubernetes' plug-ins happen to come before it. So a service that the
// restart plug-in requires, as it requires every one, requires the others. And transfers of images,
// which a client must have, are refused: nobody asks for one.
func init() {
	registry.Register(&plugin.Registration{
		Type:   plugins.TransferPlugin,
		ID:     "none",
		InitFn: func(*plugin.InitContext) (any, error) { return noTransfers{}, nil },
	})
	registry.Register(&plugin.Registration{
		Type: plugins.ServicePlugin,
		ID:   "before-restart",
		Requires: []plugin.Type{
			plugins.LeasePlugin,
			plugins.MountManagerPlugin,
			plugins.SandboxStorePlugin,
			plugins.TransferPlugin,
		},
		InitFn: func(*plugin.InitContext) (any, error) { return struct{}{}, nil },
	})
}

type noTransfers struct{}

func (noTransfers) Transfer(context.Context, any, any, ...transfer.Opt) error {
	return errdefs.ErrNotImplemented
}
