// Package dbus has what the programs ask of D-Bus. The OS has no D-Bus: there is no bus to connect to.
//
// Its language is that of the module's go.mod, which knows no `any`.
package dbus

import "errors"

// ErrNoBus is what each connection fails with.
var ErrNoBus = errors.New("this OS has no D-Bus")

type (
	// Error is an error that a bus answers.
	Error struct {
		Name string
		Body []interface{}
	}
	// Signal is a message to all.
	Signal struct {
		Sender, Name string
		Path         ObjectPath
		Body         []interface{}
	}
	// Variant is a value of any type.
	Variant struct{ value interface{} }
	// ObjectPath names an object.
	ObjectPath string
	// Flags are those of a call.
	Flags byte
	// Call is a call of a method.
	Call struct {
		Err  error
		Body []interface{}
	}
	// BusObject is an object on a bus.
	BusObject interface {
		Call(method string, flags Flags, args ...interface{}) *Call
	}
	// Conn is a connection to a bus.
	Conn struct{}
)

// ErrMsgUnknownMethod is the answer to a call of an unknown method.
var ErrMsgUnknownMethod = Error{Name: "org.freedesktop.DBus.Error.UnknownMethod"}

func (e Error) Error() string { return e.Name }

// Store would fill in what a call returned.
func (c *Call) Store(...interface{}) error { return c.Err }

// MakeVariant makes a value of any type.
func MakeVariant(value interface{}) Variant { return Variant{value} }

// SystemBus would connect to the system's bus.
func SystemBus() (*Conn, error) { return nil, ErrNoBus }

// Close would end the connection.
func (*Conn) Close() error { return nil }

// Object would return an object.
func (*Conn) Object(string, ObjectPath) BusObject { return nothing{} }

// BusObject would return the bus itself.
func (*Conn) BusObject() BusObject { return nothing{} }

// Signal would send all signals to a channel.
func (*Conn) Signal(chan<- *Signal) {}

type nothing struct{}

func (nothing) Call(string, Flags, ...interface{}) *Call { return &Call{Err: ErrNoBus} }
