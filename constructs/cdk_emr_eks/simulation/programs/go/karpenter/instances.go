package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// change is a line of the file of instances: an existing instance, or the id of a deleted one.
type change struct {
	There *ec2types.Instance `json:"there,omitempty"`
	Gone  string             `json:"gone,omitempty"`
}

// instances are the launched instances of EC2. They are written immediately and outlive this process,
// since EC2 keeps its instances when Karpenter is killed.
type instances struct {
	mutex sync.Mutex
	file  *os.File
	byID  map[string]ec2types.Instance
}

func openInstances(path string) (*instances, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the file of instances, %w", err)
	}
	found := &instances{file: file, byID: map[string]ec2types.Instance{}}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var each change
		if err := json.Unmarshal(lines.Bytes(), &each); err != nil {
			continue // the last line, of a process that was killed while it wrote
		}
		found.apply(each)
	}
	return found, lines.Err()
}

func (i *instances) record(each change) error {
	line, err := json.Marshal(each)
	if err != nil {
		return err
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.apply(each)
	_, err = i.file.Write(append(line, '\n'))
	return err
}

func (i *instances) apply(each change) {
	if each.There != nil {
		i.byID[*each.There.InstanceId] = *each.There
		return
	}
	delete(i.byID, each.Gone)
}

func (i *instances) get(id string) (ec2types.Instance, bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	found, ok := i.byID[id]
	return found, ok
}

func (i *instances) all() []ec2types.Instance {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	found := make([]ec2types.Instance, 0, len(i.byID))
	for _, each := range i.byID {
		found = append(found, each)
	}
	return found
}
