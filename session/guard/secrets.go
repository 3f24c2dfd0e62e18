package guard

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/texts"
)

// What servers know and clients must not, unless they are administrators: with the servers' passwords a client could go past
// the proxy. Such values are left blank, and all else of a reply stays as it came.

// Hider appends a reply without what is secret in it; false: it has another shape than the servers' documentation says.
type Hider func(dst, reply []byte) ([]byte, bool)

// Hiders are by command.
var Hiders = map[string]Hider{
	"config|get":  hideParameters,
	"module|list": hideModuleArgs,
}

// secretWords are parts of the names of parameters whose values are secret.
var secretWords = [...]string{"pass", "secret", "token", "credential", "apikey", "api-key", "private-key"}

// secretNames are further names of such parameters, in small letters.
var secretNames = [...]string{"masterauth", "masteruser", "primaryauth", "primaryuser"}

// secretName reports whether the value of a parameter is secret. Those of modules may have any name.
func secretName(name []byte) bool {
	var buf [session.MaxCommandName]byte
	low := session.Lower(&buf, name)
	if low == nil {
		return len(name) > 0 // too long to be a parameter that is known not to be
	}
	for _, s := range secretNames {
		if string(low) == s {
			return true
		}
	}
	for _, w := range secretWords {
		if bytes.Contains(low, []byte(w)) {
			return true
		}
	}
	return false
}

// hideParameters is for names and values in turn, or a map.
func hideParameters(dst, reply []byte) ([]byte, bool) {
	e, ok := parser.ElementsOf(reply)
	if !ok || e.Left()%2 != 0 {
		return dst, false
	}
	dst = append(dst, reply[:len(reply)-len(e.Rest())]...)
	for e.Left() > 0 {
		key := e.Next()
		value := e.Next()
		name, isText := parser.Text(key)
		if value == nil || !isText {
			return dst, false
		}
		dst = append(dst, key...)
		if secretName(name) {
			dst = appendBlank(dst, value)
		} else {
			dst = append(dst, value...)
		}
	}
	return dst, true
}

// appendBlank appends an empty string in place of a value; what says nothing stays.
func appendBlank(dst, value []byte) []byte {
	if parser.IsNull(value) {
		return append(dst, value...)
	}
	return parser.AppendBulk(dst, nil)
}

// hideModuleArgs is for a list of modules, as in MODULE LIST and HELLO, whose args may have passwords among them.
func hideModuleArgs(dst, reply []byte) ([]byte, bool) {
	e, ok := parser.ElementsOf(reply)
	if !ok {
		return dst, false
	}
	dst = append(dst, reply[:len(reply)-len(e.Rest())]...)
	for e.Left() > 0 {
		module := e.Next()
		m, ok := parser.ElementsOf(module)
		if !ok {
			return dst, false
		}
		dst = append(dst, module[:len(module)-len(m.Rest())]...)
		for m.Left() > 0 {
			field := m.Next()
			if field == nil {
				return dst, false
			}
			args := false
			if name, ok := parser.Text(field); ok {
				args = string(name) == "args"
			}
			if dst = append(dst, field...); !args {
				continue
			}
			switch field = m.Next(); {
			case field == nil:
				return dst, false
			case tellsSecret(field):
				field = []byte("*0\r\n")
			}
			dst = append(dst, field...)
		}
	}
	return dst, true
}

// AppendModules appends a list of modules as clients may see it.
func AppendModules(d *session.Door, b, modules []byte) []byte {
	if d.Config.AdminCommands {
		return append(b, modules...)
	}
	hidden, ok := hideModuleArgs(b, modules)
	if !ok {
		return parser.AppendArray(b, 0)
	}
	return hidden
}

// tellsSecret reports whether one of the words of an array is the name of what is secret.
func tellsSecret(words []byte) bool {
	e, ok := parser.ElementsOf(words)
	for ok && e.Left() > 0 {
		word, isText := parser.Text(e.Next())
		if !isText || secretName(word) {
			return true
		}
	}
	return false
}

// Hides reports whether the reply to a command has to be looked through.
func Hides(d *session.Door, spec *command.Spec) bool {
	return spec.Traits.Has(command.TraitShowsSecrets) && !d.Config.AdminCommands
}

// PassHiding is pass for a command whose reply may tell what is secret.
func PassHiding(s *session.Session, spec *command.Spec, req *parser.Request) {
	g := gather.New(s, spec, len(req.Raw))
	g.Special = joinHidden
	g.Delay()
	g.Ask(s.AnyServer(), req.Raw)
	g.Start()
}

// joinHidden is the one part without what is secret.
func joinHidden(g *gather.Gather, dst []byte) []byte {
	before := len(dst)
	dst, ok := Hiders[g.Spec.Name](dst, g.Parts[0].Buf.B)
	if !ok {
		return parser.AppendError(dst[:before], texts.OddReply)
	}
	return dst
}
