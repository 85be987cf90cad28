//go:build linux

package nftabler

import (
	"context"

	"github.com/moby/moby/v2/daemon/libnetwork/drivers/bridge/internal/firewaller"
)

// FilterForwardDrop lets the engine enable IP forwarding, as its iptables backend does. The rule that
// is meant is there since the program's start (router.go).
func (*Nftabler) FilterForwardDrop(context.Context, firewaller.IPVersion) error { return nil }
