package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// dropForwarded keeps the machine from being a router between its NICs: packets that neither come from
// nor go to a bridge are dropped. It comes before the engine enables IP forwarding, and at each start:
// the engine sets its own rule only when it enables forwarding, and would never if it died in between.
// The tables are none of the engine's, which it makes anew at each start.
// The policy drops, not a rule: a NIC of hardware has no kind, so no rule that asks for one matches it,
// not even a rule for all kinds but one.
func dropForwarded() error {
	var rules strings.Builder
	for _, family := range []string{"ip", "ip6"} {
		fmt.Fprintf(&rules, `table %[1]s no-router {}
flush table %[1]s no-router
table %[1]s no-router {
	chain filter-FORWARD {
		type filter hook forward priority filter; policy drop;
		meta iifkind "bridge" accept
		meta oifkind "bridge" accept
	}
}
`, family)
	}
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules.String())
	if output, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft, for forwarded packets: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}
