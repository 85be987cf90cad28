package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/moby/moby/v2/daemon"
	"github.com/moby/moby/v2/daemon/config"
	"github.com/moby/moby/v2/daemon/pkg/plugin"
	"github.com/moby/moby/v2/daemon/server"
	"github.com/moby/moby/v2/daemon/server/buildbackend"
	"github.com/moby/moby/v2/daemon/server/middleware"
	"github.com/moby/moby/v2/daemon/server/router/checkpoint"
	"github.com/moby/moby/v2/daemon/server/router/container"
	"github.com/moby/moby/v2/daemon/server/router/distribution"
	"github.com/moby/moby/v2/daemon/server/router/image"
	"github.com/moby/moby/v2/daemon/server/router/network"
	pluginrouter "github.com/moby/moby/v2/daemon/server/router/plugin"
	"github.com/moby/moby/v2/daemon/server/router/system"
	"github.com/moby/moby/v2/daemon/server/router/volume"
	"github.com/moby/moby/v2/dockerversion"
	"github.com/moby/moby/v2/pkg/authorization"
)

// start returns the engine and the handler of its API (docs.docker.com, "Docker Engine API").
func start(ctx context.Context, conf *config.Config) (*daemon.Daemon, http.Handler, error) {
	dockerversion.Version = version()
	plugins := plugin.NewStore()
	authorizer := authorization.NewMiddleware(conf.AuthorizationPlugins, plugins)
	versions, err := middleware.NewVersionMiddleware(
		dockerversion.Version, config.MaxAPIVersion, conf.MinAPIVersion,
	)
	if err != nil {
		return nil, nil, err
	}
	engine, err := daemon.NewDaemon(ctx, conf, plugins, authorizer, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("starting the engine: %w", err)
	}
	engine.StoreHosts(conf.Hosts)
	engine.SetCluster(noSwarm{})
	var api server.Server
	api.UseMiddleware(middleware.NewExperimentalMiddleware(conf.Experimental))
	api.UseMiddleware(*versions)
	api.UseMiddleware(authorizer)
	return engine, api.CreateMux(ctx,
		checkpoint.NewRouter(engine), // before containers, whose DELETE would hide its own
		container.NewRouter(engine),
		image.NewRouter(engine.ImageService(), engine.RegistryService()),
		system.NewRouter(engine, noSwarm{}, noBuilder{}, engine.Features),
		volume.NewRouter(engine.VolumesService(), noVolumes{}),
		pluginrouter.NewRouter(engine.PluginManager()),
		distribution.NewRouter(engine.ImageBackend()),
		network.NewRouter(engine, noSwarm{}),
	), nil
}

// noBuilder answers what the API asks a builder. Without one, a question for the space that its cache
// takes, as of `docker system df`, would end the engine.
type noBuilder struct{}

func (noBuilder) DiskUsage(
	context.Context, buildbackend.DiskUsageOptions,
) (*buildbackend.DiskUsage, error) {
	return &buildbackend.DiskUsage{}, nil
}

const moby = "github.com/moby/moby/v2"

// version returns that of the module of which the engine is made: clients and registries see it.
func version() string {
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, module := range built.Deps {
			if module.Path == moby {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "unknown"
}
