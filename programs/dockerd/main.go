// dockerd is moby's engine without what Tinkie never uses: builds, swarm, telemetry, containerd's
// image store, plug-ins of the node resource interface, log drivers of clouds (docs/adr/0019).
//
// It takes the options with which tink-docker starts Debian's dockerd, so that either serves.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/log"
	"github.com/moby/moby/v2/daemon"
	"github.com/moby/moby/v2/daemon/config"
	"github.com/moby/moby/v2/daemon/listeners"
	"github.com/moby/moby/v2/pkg/pidfile"
	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"
)

const (
	requestsEnd = 5 * time.Second // for open requests, once the engine has stopped
	headersEnd  = 5 * time.Minute // as moby's own main program
)

func main() {
	if reexec.Init() { // dockerd starts itself to work in a container's namespaces
		return
	}
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads must not end the engine
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dockerd:", err)
		os.Exit(1)
	}
}

// run serves the API until SIGTERM or SIGINT, or until a socket fails.
func run(ctx context.Context, arguments []string) error {
	given := parse(arguments)
	conf, err := load(given)
	if err != nil {
		return err
	}
	if err := prepare(conf); err != nil {
		return err
	}
	if err := pidfile.Write(conf.Pidfile, os.Getpid()); err != nil {
		return fmt.Errorf("writing %s: %w", conf.Pidfile, err)
	}
	defer os.Remove(conf.Pidfile)
	protocol, address, _ := strings.Cut(conf.Hosts[0], "://")
	if protocol == "tcp" { // anybody in the network would be root
		return fmt.Errorf("listening on %s: only fd:// and unix://PATH are possible", conf.Hosts[0])
	}
	sockets, err := listeners.Init(protocol, address, conf.SocketGroup, nil)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", conf.Hosts[0], err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	engine, api, err := start(ctx, conf)
	if err != nil {
		return err
	}
	reloadOnHangup(engine, given)
	requests := &http.Server{Handler: api, ReadHeaderTimeout: headersEnd}
	err = serve(requests, sockets, stop)
	ended := endRequests(requests)
	shutdown(ctx, engine)
	select {
	case <-ended:
	case <-time.After(requestsEnd):
	}
	return err
}

// prepare sets what is one value for the whole process or machine, and makes the engine's folders.
func prepare(conf *config.Config) error {
	if err := daemon.CheckSystem(); err != nil {
		return err
	}
	setProxies(conf.Proxies)
	if err := log.SetFormat(log.TextFormat); err != nil {
		return err
	}
	if err := log.SetLevel(conf.LogLevel); err != nil {
		return fmt.Errorf("log-level: %w", err)
	}
	unix.Umask(0) // moby gives its files their modes itself
	if err := daemon.CreateDaemonRoot(conf); err != nil {
		return err
	}
	if conf.FirewallBackend == nftables && !conf.DisableFilterForwardDrop {
		if err := dropForwarded(); err != nil {
			return err
		}
	}
	return os.MkdirAll(conf.ExecRoot, 0o700)
}

// serve returns after a signal, or with the error of a socket.
func serve(api *http.Server, sockets []net.Listener, stop <-chan os.Signal) error {
	failed := make(chan error, len(sockets))
	for _, socket := range sockets {
		go func() { failed <- api.Serve(socket) }()
	}
	select {
	case received := <-stop:
		log.L.Infof("Processing signal '%v'", received)
		return nil
	case err := <-failed:
		return fmt.Errorf("serving the API: %w", err)
	}
}

// endRequests takes no new requests. The channel that it returns is closed once the open ones have
// ended: an engine whose last container has ended ends those that wait for events when it stops.
func endRequests(api *http.Server) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := api.Shutdown(context.Background()); err != nil {
			log.L.WithError(err).Warn("Error shutting down http server")
		}
	}()
	return ended
}

// shutdown stops the engine within the seconds of its configuration; with live-restore, containers
// run on.
func shutdown(ctx context.Context, engine *daemon.Daemon) {
	if seconds := engine.ShutdownTimeout(); seconds >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
		defer cancel()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := engine.Shutdown(ctx); err != nil {
			log.G(ctx).WithError(err).Error("Error shutting down")
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		log.G(ctx).Error("Force shutdown daemon")
	}
}
