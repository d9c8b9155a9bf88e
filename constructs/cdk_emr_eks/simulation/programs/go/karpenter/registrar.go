package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	v1 "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	"github.com/aws/karpenter-provider-aws/pkg/providers/instancetype"
	"github.com/aws/karpenter-provider-aws/pkg/utils"
	"github.com/samber/lo"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

const (
	every    = 10 * time.Millisecond
	patience = 30 * time.Second
)

// backupName is the name of the backup of instances in the module's fleet.
const backupName = "kwok-aws-instances-0"

// registrar is the API server for the simulated instances. It registers a node as its kubelet would,
// with the settings of its node class. The backup, which the module's fleet keeps in config maps of
// the cluster, is the file of instances.
type registrar struct {
	client.Client
	cached    client.Client
	orders    ordersFile
	instances *instances
	types     *instancetype.DefaultProvider
}

// Create registers a node, unless the orders block the registration of its instance.
func (r *registrar) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	node, ok := object.(*corev1.Node)
	if !ok {
		return r.Client.Create(ctx, object, options...)
	}
	orders, err := r.orders.read()
	if err != nil {
		return err
	}
	launched, err := r.instanceOf(ctx, node)
	if err != nil {
		return err
	}
	spot := launched.InstanceLifecycle == ec2types.InstanceLifecycleTypeSpot
	capacityType := lo.Ternary(spot, karpv1.CapacityTypeSpot, karpv1.CapacityTypeOnDemand)
	zone := node.Labels[corev1.LabelTopologyZone]
	if matchesAny(orders.Mute, zone, capacityType, string(launched.InstanceType)) {
		log.FromContext(ctx).Info("instance never registers", "instance-id", *launched.InstanceId)
		return nil
	}
	node.Labels[karpv1.CapacityTypeLabelKey] = capacityType
	node.Labels[karpv1.NodePoolLabelKey] = poolOf(launched)
	if err := r.size(ctx, node, launched.InstanceType); err != nil {
		return err
	}
	return r.Client.Create(ctx, node, options...)
}

// List reads nodes from Karpenter's cache, which avoids a list request every few seconds, and the
// backup from the file of instances.
func (r *registrar) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	switch found := list.(type) {
	case *corev1.NodeList:
		return r.cached.List(ctx, found, options...)
	case *corev1.ConfigMapList:
		text, err := json.Marshal(r.instances.all())
		if err != nil {
			return err
		}
		found.Items = []corev1.ConfigMap{{
			ObjectMeta: metav1.ObjectMeta{Name: backupName},
			Data:       map[string]string{"instances": string(text)},
		}}
		return nil
	default:
		return r.Client.List(ctx, list, options...)
	}
}

// size sets the capacity of a node that Karpenter expects of its instance type and node class.
func (r *registrar) size(ctx context.Context, node *corev1.Node, instanceType ec2types.InstanceType) error {
	pool, class := &karpv1.NodePool{}, &v1.EC2NodeClass{}
	name := types.NamespacedName{Name: node.Labels[karpv1.NodePoolLabelKey]}
	if err := r.cached.Get(ctx, name, pool); err != nil {
		return client.IgnoreNotFound(err) // the pool was deleted, and the node will be
	}
	name.Name = pool.Spec.Template.Spec.NodeClassRef.Name
	if err := r.cached.Get(ctx, name, class); err != nil {
		return client.IgnoreNotFound(err)
	}
	found, err := r.types.Get(ctx, class, instanceType)
	if err != nil {
		return fmt.Errorf("sizing a node of %s, %w", instanceType, err)
	}
	node.Status.Capacity = found.Capacity.DeepCopy()
	node.Status.Allocatable = found.Allocatable().DeepCopy()
	return nil
}

// instanceOf finds the instance of a node. It waits for an instance that boots immediately, whose
// launch is not recorded yet.
func (r *registrar) instanceOf(ctx context.Context, node *corev1.Node) (ec2types.Instance, error) {
	id, err := utils.ParseInstanceID(node.Spec.ProviderID)
	if err != nil {
		return ec2types.Instance{}, err
	}
	var found ec2types.Instance
	err = wait.PollUntilContextTimeout(ctx, every, patience, true, func(context.Context) (bool, error) {
		var ok bool
		found, ok = r.instances.get(id)
		return ok && poolOf(found) != "", nil
	})
	if err != nil {
		return found, fmt.Errorf("looking for instance %s, %w", id, err)
	}
	return found, nil
}

func poolOf(instance ec2types.Instance) string {
	tag, _ := lo.Find(instance.Tags, func(each ec2types.Tag) bool {
		return lo.FromPtr(each.Key) == karpv1.NodePoolLabelKey
	})
	return lo.FromPtr(tag.Value)
}
