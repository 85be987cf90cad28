// Package dbus has what the programs ask of systemd. The OS has none: there is nobody to connect to.
package dbus

import (
	"context"
	"errors"

	"github.com/godbus/dbus/v5"
)

// ErrNoSystemd is what each connection fails with.
var ErrNoSystemd = errors.New("this OS has no systemd")

type (
	// Conn is a connection to systemd.
	Conn struct{}
	// Property is a unit's property.
	Property struct {
		Name  string
		Value dbus.Variant
	}
)

// NewWithContext would connect to systemd.
func NewWithContext(context.Context) (*Conn, error) { return nil, ErrNoSystemd }

// PropDescription is a unit's description.
func PropDescription(text string) Property {
	return Property{"Description", dbus.MakeVariant(text)}
}

// PropSlice is the slice that a unit is in.
func PropSlice(name string) Property { return Property{"Slice", dbus.MakeVariant(name)} }

// PropWants are units that a unit starts.
func PropWants(units ...string) Property { return Property{"Wants", dbus.MakeVariant(units)} }

// Close would end the connection.
func (*Conn) Close() {}

// StartTransientUnitContext would start a unit.
func (*Conn) StartTransientUnitContext(
	context.Context, string, string, []Property, chan<- string,
) (int, error) {
	return 0, ErrNoSystemd
}

// StopUnitContext would stop a unit.
func (*Conn) StopUnitContext(context.Context, string, string, chan<- string) (int, error) {
	return 0, ErrNoSystemd
}

// ResetFailedUnitContext would forget that a unit failed.
func (*Conn) ResetFailedUnitContext(context.Context, string) error { return ErrNoSystemd }

// GetManagerProperty would return a property of systemd itself.
func (*Conn) GetManagerProperty(string) (string, error) { return "", ErrNoSystemd }
