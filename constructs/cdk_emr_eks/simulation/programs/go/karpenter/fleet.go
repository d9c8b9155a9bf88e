package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	kwokec2 "github.com/aws/karpenter-provider-aws/kwok/ec2"
	"github.com/aws/karpenter-provider-aws/pkg/providers/pricing"
	"github.com/samber/lo"
	"sigs.k8s.io/controller-runtime/pkg/log"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

// fleet responds as EC2 does where the module's simulated fleet does not.
type fleet struct {
	*kwokec2.Client
	orders    ordersFile
	instances *instances
	prices    pricing.Provider
}

// offer is one instance type in one zone, from one launch template.
type offer struct {
	config   ec2types.FleetLaunchTemplateConfigRequest
	override ec2types.FleetLaunchTemplateOverridesRequest
	price    float64
}

// CreateFleet launches the cheapest offer with capacity, and returns the cheaper offers without
// capacity as errors.
func (f *fleet) CreateFleet(ctx context.Context, input *ec2.CreateFleetInput, options ...func(*ec2.Options)) (*ec2.CreateFleetOutput, error) {
	if lo.FromPtr(input.DryRun) || input.TargetCapacitySpecification == nil {
		return f.Client.CreateFleet(ctx, input, options...)
	}
	orders, err := f.orders.read()
	if err != nil {
		return nil, err
	}
	capacityType := capacityTypeOf(input)
	var refused []ec2types.CreateFleetError
	for _, each := range f.offers(input, capacityType) {
		zone := lo.FromPtr(each.override.AvailabilityZone)
		if matchesAny(orders.Exhausted, zone, capacityType, string(each.override.InstanceType)) {
			refused = append(refused, insufficient(each))
			continue
		}
		chosen := *input
		chosen.LaunchTemplateConfigs = []ec2types.FleetLaunchTemplateConfigRequest{{
			LaunchTemplateSpecification: each.config.LaunchTemplateSpecification,
			Overrides:                   []ec2types.FleetLaunchTemplateOverridesRequest{each.override},
		}}
		output, err := f.Client.CreateFleet(ctx, &chosen, options...)
		if err != nil {
			return nil, err
		}
		output.Errors = append(output.Errors, refused...)
		return output, f.remember(ctx, output, tagsOf(input))
	}
	return &ec2.CreateFleetOutput{FleetId: lo.ToPtr("fleet-without-instances"), Errors: refused}, nil
}

// TerminateInstances also forgets the instances.
func (f *fleet) TerminateInstances(ctx context.Context, input *ec2.TerminateInstancesInput, options ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error) {
	output, err := f.Client.TerminateInstances(ctx, input, options...)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, id := range input.InstanceIds {
		failed = errors.Join(failed, f.instances.record(change{Gone: id}))
	}
	return output, failed
}

// CreateTags adds tags to instances; the module's fleet ignores new tags.
func (f *fleet) CreateTags(ctx context.Context, input *ec2.CreateTagsInput, options ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	output := &ec2.CreateTagsOutput{}
	for _, id := range input.Resources {
		tags := input.Tags
		known, tagged := f.instances.get(id)
		if tagged {
			tags = merged(known.Tags, input.Tags)
			known.Tags = tags
			if err := f.instances.record(change{There: &known}); err != nil {
				return nil, err
			}
		}
		each := *input
		each.Resources, each.Tags = []string{id}, tags
		if _, err := f.Client.CreateTags(ctx, &each, options...); err != nil {
			return nil, err
		}
	}
	return output, nil
}

// reclaimForever terminates the instances that the orders name.
func (f *fleet) reclaimForever(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		orders, err := f.orders.read()
		if err != nil {
			log.FromContext(ctx).Error(err, "instances are not reclaimed")
			continue
		}
		there := lo.Filter(orders.Reclaimed, func(id string, _ int) bool {
			_, ok := f.instances.get(id)
			return ok
		})
		if len(there) == 0 {
			continue
		}
		if _, err := f.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: there}); err != nil {
			log.FromContext(ctx).Error(err, "instances are not reclaimed")
		}
	}
}

// offers returns all offers of a request, by priority if the request has priorities, else by price.
func (f *fleet) offers(input *ec2.CreateFleetInput, capacityType string) []offer {
	var found []offer
	for _, config := range input.LaunchTemplateConfigs {
		for _, override := range config.Overrides {
			found = append(found, offer{config, override, f.price(override, capacityType)})
		}
	}
	slices.SortStableFunc(found, func(a, b offer) int {
		return cmp.Or(
			cmp.Compare(lo.FromPtr(a.override.Priority), lo.FromPtr(b.override.Priority)),
			cmp.Compare(a.price, b.price),
		)
	})
	return found
}

func (f *fleet) price(override ec2types.FleetLaunchTemplateOverridesRequest, capacityType string) float64 {
	price, known := f.prices.OnDemandPrice(override.InstanceType)
	if capacityType == karpv1.CapacityTypeSpot {
		price, known = f.prices.SpotPrice(override.InstanceType, lo.FromPtr(override.AvailabilityZone))
	}
	return lo.Ternary(known, price, math.MaxFloat64)
}

// remember records launched instances with the tags of the request. The module's fleet ignores these
// tags, so it would not know the pool of an instance.
func (f *fleet) remember(ctx context.Context, output *ec2.CreateFleetOutput, tags []ec2types.Tag) error {
	ids := lo.FlatMap(output.Instances, func(i ec2types.CreateFleetInstance, _ int) []string { return i.InstanceIds })
	described, err := f.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids})
	if err != nil {
		return fmt.Errorf("describing what was launched, %w", err)
	}
	for _, reservation := range described.Reservations {
		for _, each := range reservation.Instances {
			if err := f.instances.record(change{There: &each}); err != nil {
				return err
			}
		}
	}
	_, err = f.CreateTags(ctx, &ec2.CreateTagsInput{Resources: ids, Tags: tags})
	return err
}

func tagsOf(input *ec2.CreateFleetInput) []ec2types.Tag {
	return lo.FlatMap(input.TagSpecifications, func(each ec2types.TagSpecification, _ int) []ec2types.Tag {
		return lo.Ternary(each.ResourceType == ec2types.ResourceTypeInstance, each.Tags, nil)
	})
}

func capacityTypeOf(input *ec2.CreateFleetInput) string {
	spot := input.TargetCapacitySpecification.DefaultTargetCapacityType == ec2types.DefaultTargetCapacityTypeSpot
	return lo.Ternary(spot, karpv1.CapacityTypeSpot, karpv1.CapacityTypeOnDemand)
}

func insufficient(each offer) ec2types.CreateFleetError {
	return ec2types.CreateFleetError{
		ErrorCode:    lo.ToPtr("InsufficientInstanceCapacity"),
		ErrorMessage: lo.ToPtr("The simulation has no capacity for the request."),
		LaunchTemplateAndOverrides: &ec2types.LaunchTemplateAndOverridesResponse{
			Overrides: &ec2types.FleetLaunchTemplateOverrides{
				AvailabilityZone: each.override.AvailabilityZone,
				InstanceType:     each.override.InstanceType,
				SubnetId:         each.override.SubnetId,
			},
		},
	}
}

func merged(old, added []ec2types.Tag) []ec2types.Tag {
	kept := lo.Reject(old, func(tag ec2types.Tag, _ int) bool {
		return slices.ContainsFunc(added, func(each ec2types.Tag) bool {
			return lo.FromPtr(each.Key) == lo.FromPtr(tag.Key)
		})
	})
	return append(kept, added...)
}
