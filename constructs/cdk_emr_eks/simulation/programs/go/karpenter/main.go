// Karpenter with its real controllers and providers, and a simulated EC2 fleet.
//
// The module of the provider has such a fleet (kwok/ec2): instances in memory, whose nodes KWOK
// simulates. It is wrapped, not changed, where it differs from EC2: exhausted capacity, the kubelet
// settings of the node class, instances that boot slowly or never register, and instances that
// survive the process (see fleet.go, registrar.go, instances.go).
package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/aws/karpenter-provider-aws/kwok/cloudprovider"
	"github.com/aws/karpenter-provider-aws/kwok/operator"
	v1 "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	"github.com/aws/karpenter-provider-aws/pkg/controllers"
	"github.com/aws/karpenter-provider-aws/pkg/providers/instance"
	"github.com/patrickmn/go-cache"
	"github.com/samber/lo"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/metrics"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	corecontrollers "sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	coreoperator "sigs.k8s.io/karpenter/pkg/operator"
	"sigs.k8s.io/karpenter/pkg/operator/options"
)

const (
	directoryVariable  = "FLEET_DIRECTORY"
	kubeconfigVariable = "FLEET_KUBECONFIG"
)

// ec2Manager is Karpenter's manager with the client of the instances in place of Karpenter's client:
// instances register nodes, and a cloud's node controller deletes them, with other rights than those
// of Karpenter.
type ec2Manager struct {
	manager.Manager
	client client.Client
}

func (m ec2Manager) GetClient() client.Client { return m.client }

func main() {
	directory := os.Getenv(directoryVariable)
	orders := ordersFile(filepath.Join(directory, "orders.json"))
	lo.Must(orders.read())
	instances := lo.Must(openInstances(filepath.Join(directory, "instances.jsonl")))

	ctx, core := coreoperator.NewOperator()
	registrar := &registrar{
		Client:    lo.Must(clientOf(os.Getenv(kubeconfigVariable))),
		cached:    core.GetClient(),
		orders:    orders,
		instances: instances,
	}
	played := *core
	played.Manager = ec2Manager{Manager: core.Manager, client: registrar}
	played.Clock = bootClock{Clock: core.Clock, orders: orders}
	v1.CapacityReservationsEnabled = options.FromContext(ctx).FeatureGates.ReservedCapacity
	ctx, op := operator.NewOperator(ctx, &played)
	// Everything else has Karpenter's client and the real clock.
	op.Operator = core

	ec2 := &fleet{Client: op.EC2API, orders: orders, instances: instances, prices: op.PricingProvider}
	registrar.types = op.InstanceTypesProvider
	op.InstanceProvider = instance.NewDefaultProvider(
		ctx, op.Config.Region, op.EventRecorder, ec2, op.UnavailableOfferingsCache, op.SubnetProvider,
		op.LaunchTemplateProvider, op.CapacityReservationProvider, op.PlacementGroupProvider,
		op.ZonalShiftProvider, cache.New(cache.NoExpiration, cache.NoExpiration),
	)
	go playFleet(ctx, op, ec2)
	start(ctx, op, ec2)
}

// playFleet runs the loops of EC2 and of the cloud's node controller.
func playFleet(ctx context.Context, op *operator.Operator, ec2 *fleet) {
	<-op.Elected()
	op.EC2API.ReadBackup(ctx)
	go op.EC2API.StartKillNodeThread(ctx)
	ec2.reclaimForever(ctx)
}

// start runs the controllers of Karpenter's core and of the AWS provider until a signal ends them.
func start(ctx context.Context, op *operator.Operator, ec2 *fleet) {
	plain := metrics.Decorate(cloudprovider.New(
		op.InstanceTypesProvider, op.InstanceProvider, op.EventRecorder, op.GetClient(), op.AMIProvider,
		op.SecurityGroupProvider, op.CapacityReservationProvider, op.PlacementGroupProvider,
		op.InstanceTypeStore,
	))
	provider := overlay.Decorate(plain, op.GetClient(), op.InstanceTypeStore)
	cluster := state.NewCluster(op.Clock, op.GetClient(), provider)
	op.WithControllers(ctx, corecontrollers.NewControllers(
		ctx, op.Manager, op.Clock, op.GetClient(), op.EventRecorder, provider, plain, cluster,
		op.InstanceTypeStore,
	)...)
	op.WithControllers(ctx, controllers.NewControllers(
		ctx, op.Manager, op.Config, op.Clock, ec2, op.GetClient(), op.EventRecorder,
		op.UnavailableOfferingsCache, op.SSMCache, op.ValidationCache, op.RecreationCache, provider,
		op.SubnetProvider, op.SecurityGroupProvider, op.InstanceProfileProvider, op.InstanceProvider,
		op.PricingProvider, op.AMIProvider, op.LaunchTemplateProvider, op.VersionProvider,
		op.InstanceTypesProvider, op.CapacityReservationProvider, op.PlacementGroupProvider,
		op.AMIResolver, op.ZonalShiftProvider, op.InstanceStatusProvider, lo.ToPtr(""),
	)...)
	op.Start(ctx)
}

func clientOf(kubeconfig string) (client.Client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	// No client-side limit: a thousand instances may register at once.
	config.QPS = -1
	return client.New(config, client.Options{Scheme: scheme.Scheme})
}
