//go:build linux

package nftabler

import (
	"context"

	"github.com/moby/moby/v2/daemon/libnetwork/drivers/bridge/internal/firewaller"
	"github.com/moby/moby/v2/daemon/libnetwork/internal/nftables"
)

// FilterForwardDrop lets the engine enable IP forwarding, as its iptables backend does: packets that
// neither come from nor go to a bridge are dropped, so that the machine is no router between its NICs.
// The table is not one of the engine's, which it makes anew at each start.
func (*Nftabler) FilterForwardDrop(ctx context.Context, version firewaller.IPVersion) error {
	family := nftables.IPv4
	if version == firewaller.IPv6 {
		family = nftables.IPv6
	}
	table, err := nftables.NewTable(family, "no-router")
	if err != nil {
		return err
	}
	defer table.Close()
	rules := nftables.Modifier{}
	rules.Create(nftables.BaseChain{
		Name:      forwardChain,
		ChainType: nftables.BaseChainTypeFilter,
		Hook:      nftables.BaseChainHookForward,
		Priority:  nftables.BaseChainPriorityFilter,
	})
	rules.Create(nftables.Rule{
		Chain: forwardChain,
		Group: initialRuleGroup,
		Rule:  []string{`meta iifkind != "bridge" meta oifkind != "bridge" drop`},
	})
	return table.Apply(ctx, rules)
}
