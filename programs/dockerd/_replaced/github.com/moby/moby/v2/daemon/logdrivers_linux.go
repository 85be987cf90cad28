package daemon

// The log drivers that daemon.json names, and the cache that `docker logs` reads for syslog.
import (
	_ "github.com/moby/moby/v2/daemon/logger/jsonfilelog"
	_ "github.com/moby/moby/v2/daemon/logger/local"
	_ "github.com/moby/moby/v2/daemon/logger/loggerutils/cache"
	_ "github.com/moby/moby/v2/daemon/logger/syslog"
)
