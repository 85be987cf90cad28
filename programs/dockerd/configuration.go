package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/containerd/log"
	"github.com/moby/moby/v2/daemon"
	"github.com/moby/moby/v2/daemon/config"
	"github.com/moby/moby/v2/daemon/pkg/registry"
)

const nftables = "nftables" // moby's name of the backend

// options are dockerd's arguments.
type options struct {
	path       string // of the configuration
	containerd string // path of its socket
	host       string // where to listen
}

func parse(arguments []string) options {
	var given options
	flags := flag.NewFlagSet("dockerd", flag.ExitOnError) // it ends the program after an error
	flags.StringVar(&given.path, "config-file", "/etc/docker/daemon.json", "the configuration")
	flags.StringVar(&given.containerd, "containerd", "", "path of containerd's socket")
	flags.StringVar(&given.host, "host", "fd://", "where to listen: fd://, unix://PATH")
	flags.Parse(arguments)
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "dockerd: unknown argument: %s\n", flags.Arg(0))
		os.Exit(2)
	}
	return given
}

// load returns moby's configuration: its defaults, ours over them, the file's over both.
//
// The file has moby's keys (dockerd(8), "Daemon configuration file"); an unknown one is an error.
func load(given options) (*config.Config, error) {
	conf, err := config.New()
	if err != nil {
		return nil, err
	}
	setDefaults(conf)
	if err := read(given.path, conf); err != nil {
		return nil, fmt.Errorf("%s: %w", given.path, err)
	}
	conf.ContainerdAddr, conf.Hosts = given.containerd, []string{given.host}
	return conf, nil
}

// read lays the values of a file over a configuration, and checks the result.
func read(path string, conf *config.Config) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file := json.NewDecoder(bytes.NewReader(content))
	file.DisallowUnknownFields()
	if err := file.Decode(conf); err != nil {
		return err
	}
	if err := json.Unmarshal(content, &conf.ValuesSet); err != nil {
		return err
	}
	if err := config.Validate(conf); err != nil {
		return err
	}
	_, err = registry.NewService(conf.ServiceOptions) // it checks registries, and keeps nothing
	return err
}

// reloadOnHangup reads the file again at each SIGHUP, as moby's own main program does. A file with an
// error changes nothing.
func reloadOnHangup(engine *daemon.Daemon, given options) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			conf, err := load(given)
			if err == nil {
				err = engine.Reload(conf)
			}
			if err != nil {
				log.L.WithError(err).Error("Error reconfiguring the daemon")
			}
		}
	}()
}

// setDefaults sets what moby's options set by default, and choices of ours.
func setDefaults(conf *config.Config) {
	conf.SocketGroup = "docker"
	conf.EnableIPTables, conf.EnableIP6Tables = true, true // rules in general, of either backend
	conf.EnableIPForward, conf.EnableIPMasq = true, true
	conf.InterContainerCommunication = true
	conf.DefaultIP = net.IPv4zero
	conf.AutoRestart = true // what ended while no engine ran and has a restart policy

	// Workers of 2020 speak the API of their time.
	conf.MinAPIVersion = config.MinAPIVersion
	// Two calls of nft instead of forty of iptables, at each start.
	conf.FirewallBackend = nftables
	// Containerd's image store keeps each image compressed as well, which would be in memory.
	conf.Features["containerd-snapshotter"] = false
	// Nobody puts device specifications on a machine that was just booted.
	conf.Features["cdi"] = false
	// With a time namespace, crun 1.21 makes a PID namespace too: pid=host would have no effect.
	conf.Features["time-namespaces"] = false
}

// setProxies puts them where the standard library looks for them, for pulls.
func setProxies(proxies config.Proxies) {
	for name, value := range map[string]string{
		"HTTP_PROXY": proxies.HTTPProxy, "http_proxy": proxies.HTTPProxy,
		"HTTPS_PROXY": proxies.HTTPSProxy, "https_proxy": proxies.HTTPSProxy,
		"NO_PROXY": proxies.NoProxy, "no_proxy": proxies.NoProxy,
	} {
		if value != "" {
			os.Setenv(name, value)
		}
	}
}
