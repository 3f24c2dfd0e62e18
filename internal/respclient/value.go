package respclient

import (
	"fmt"
	"strings"

	"ringmaster/parser"
)

const (
	// MaxDepth bounds the nesting of a reply.
	MaxDepth = 16
	// MaxValues bounds the values of a reply, aggregates included. CLUSTER SHARDS has about 20 for
	// each node and 2 for each range of slots.
	MaxValues = 1 << 17

	// maxRefusal bounds the text of a Refusal, in bytes.
	maxRefusal = 200
)

// Value is a reply, or an element of one.
type Value = parser.Value

// Parse reads reply, which must be exactly one. An error says what is wrong with it. Any goroutine.
func Parse(reply string) (Value, error) { return parser.ParseValue(reply, MaxDepth, MaxValues) }

// Refusal is an error reply of a server.
type Refusal struct {
	Command string
	// Text is the server's text, cut to 200 bytes.
	Text string
}

// Error quotes the server.
func (r *Refusal) Error() string { return fmt.Sprintf("answered %s with %q", r.Command, r.Text) }

// Code returns the first word, such as NOAUTH.
func (r *Refusal) Code() string {
	code, _, _ := strings.Cut(r.Text, " ")
	return code
}

// Refused returns a *Refusal if v, the reply to command, is an error; otherwise nil. Any goroutine.
func Refused(command string, v Value) error {
	if v.Kind != '-' && v.Kind != '!' {
		return nil
	}
	return &Refusal{Command: command, Text: strings.Clone(v.Text[:min(len(v.Text), maxRefusal)])}
}
