// Package containerd is moby's image store in containerd, left out: images are in overlay2.
package containerd

import (
	"context"

	"github.com/containerd/containerd/v2/client"
	containerdimages "github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/moby/moby/v2/daemon/container"
	"github.com/moby/moby/v2/daemon/containerd/identitycache"
	"github.com/moby/moby/v2/daemon/events"
	"github.com/moby/moby/v2/daemon/images"
	"github.com/moby/moby/v2/daemon/internal/distribution"
	"github.com/moby/moby/v2/daemon/snapshotter"
	policyverifier "github.com/moby/policy-helpers"
	"github.com/moby/sys/user"
)

// ImageService is the type by which the engine recognises this store: no service has it.
type ImageService struct{ images.ImageService }

// ResolveImage is never called, since no service has this type.
func (*ImageService) ResolveImage(context.Context, string) (containerdimages.Image, error) {
	panic("this engine has no image store in containerd")
}

// ImageServiceConfig has what the engine fills in.
type ImageServiceConfig struct {
	Client                 *client.Client
	Containers             container.Store
	Snapshotter            string
	IdentityCacheBackend   identitycache.Backend
	RegistryHosts          docker.RegistryHosts
	Registry               distribution.RegistryResolver
	EventsService          *events.Events
	RefCountMounter        snapshotter.Mounter
	IDMapping              user.IdentityMapping
	PolicyVerifierProvider func() (*policyverifier.Verifier, error)
	MaxConcurrentDownloads int
	MaxConcurrentUploads   int
}

// NewService is never called: the feature containerd-snapshotter is off.
func NewService(ImageServiceConfig) *images.ImageService {
	panic("this engine has no image store in containerd")
}
