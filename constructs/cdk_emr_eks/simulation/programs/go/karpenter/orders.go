package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/utils/clock"
)

// selector matches offers with all of its values; an empty selector matches every offer.
type selector struct {
	Zone         string `json:"zone"`
	CapacityType string `json:"capacityType"`
	Family       string `json:"family"`
}

func (s selector) matches(zone, capacityType, instanceType string) bool {
	family, _, _ := strings.Cut(instanceType, ".")
	return (s.Zone == "" || s.Zone == zone) &&
		(s.CapacityType == "" || s.CapacityType == capacityType) &&
		(s.Family == "" || s.Family == family)
}

func matchesAny(selectors []selector, zone, capacityType, instanceType string) bool {
	for _, each := range selectors {
		if each.matches(zone, capacityType, instanceType) {
			return true
		}
	}
	return false
}

// orders are the present instructions of the simulation to the fleet.
type orders struct {
	Exhausted   []selector `json:"exhausted"`
	Mute        []selector `json:"mute"`
	BootSeconds float64    `json:"bootSeconds"`
	Reclaimed   []string   `json:"reclaimed"`
}

// ordersFile is read with each request to the fleet, since orders change while it runs.
type ordersFile string

func (f ordersFile) read() (orders, error) {
	var found orders
	text, err := os.ReadFile(string(f))
	if err != nil {
		return found, fmt.Errorf("reading the orders of the fleet, %w", err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, fmt.Errorf("reading the orders of the fleet in %s, %w", f, err)
	}
	return found, nil
}

// bootClock is the clock of the simulated fleet, which waits only for the boot of instances.
type bootClock struct {
	clock.Clock
	orders ordersFile
}

func (c bootClock) After(standard time.Duration) <-chan time.Time {
	if found, err := c.orders.read(); err == nil {
		standard = time.Duration(found.BootSeconds * float64(time.Second))
	}
	return c.Clock.After(standard)
}
