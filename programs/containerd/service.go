package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/runtime/restart"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v3"
)

const (
	servicesNamespace = "services.linuxkit" // LinuxKit's name for it
	answerLimit       = 50 * time.Second    // images/init/lib/services ends this program soon after
)

// service starts a service in a containerd that runs already, and leaves it to containerd to start it
// again when it ends. A service that exists already is only left to containerd.
var service = &cli.Command{
	Name:      "service",
	Usage:     "start a service of linuxkit.yml, and again whenever it ends",
	ArgsUsage: "NAME CONFIG.JSON LOG-URI",
	Action: func(ctx context.Context, command *cli.Command) error {
		if command.NArg() != 3 {
			return fmt.Errorf("usage: %s %s", command.FullName(), command.ArgsUsage)
		}
		name, config := command.Args().Get(0), command.Args().Get(1)
		log, err := url.Parse(command.Args().Get(2))
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(namespaces.WithNamespace(ctx, servicesNamespace), answerLimit)
		defer cancel()
		server, err := client.New(defaults.DefaultAddress, client.WithTimeout(answerLimit))
		if err != nil {
			return fmt.Errorf("%s: %w", defaults.DefaultAddress, err)
		}
		defer server.Close()
		return startService(ctx, server, name, config, log)
	},
}

// startService starts the first task itself, at once. Only then it sets the label by which the
// restart monitor knows a service: a container that does not run yet counts as one that has ended.
func startService(ctx context.Context, server *client.Client, name, config string, log *url.URL) error {
	created, err := create(ctx, server, name, config)
	switch {
	case errdefs.IsAlreadyExists(err):
		if created, err = server.LoadContainer(ctx, name); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := start(ctx, created, log); err != nil {
			// The monitor tries again, without an end.
			fmt.Fprintf(os.Stderr, "%s does not start yet: %s\n", name, err)
		}
	}
	return created.Update(ctx,
		client.UpdateContainerOpts(restart.WithLogURI(log)),
		client.UpdateContainerOpts(restart.WithStatus(client.Running)),
	)
}

func create(ctx context.Context, server *client.Client, name, config string) (client.Container, error) {
	content, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	var spec specs.Spec
	if err := json.Unmarshal(content, &spec); err != nil {
		return nil, fmt.Errorf("%s: %w", config, err)
	}
	if spec.Process == nil { // the restart monitor would panic, again and again
		return nil, fmt.Errorf("%s: it has no process", config)
	}
	return server.NewContainer(ctx, name, client.WithSpec(&spec))
}

func start(ctx context.Context, container client.Container, log *url.URL) error {
	task, err := container.NewTask(ctx, cio.LogURI(log))
	if err != nil {
		return err
	}
	return task.Start(ctx)
}
