package guard

import (
	"bytes"

	"ringmaster/command"
	"ringmaster/parser"
	"ringmaster/session"
	"ringmaster/session/gather"
	"ringmaster/session/texts"
)

// With the servers' passwords a client could connect to the servers without the proxy. So the proxy blanks secrets in replies, unless clients may
// give administrators' commands. It changes nothing else in a reply.

// Hider appends reply to dst, with blanks for secrets. false: the reply has not the shape that the servers' documentation describes.
type Hider func(dst, reply []byte) ([]byte, bool)

// Hiders are by command.Spec.Name. Each command for which Hides is true has one.
var Hiders = map[string]Hider{
	"config|get":  hideParameters,
	"module|list": hideModuleArgs,
}

// secretWords are words in the names of parameters whose values are secret.
var secretWords = [...]string{"pass", "secret", "token", "credential", "apikey", "api-key", "private-key"}

// secretNames are other names of such parameters, in lower case.
var secretNames = [...]string{"masterauth", "masteruser", "primaryauth", "primaryuser"}

// secretName reports whether the value of the parameter with this name is secret. Modules may give their parameters any name.
func secretName(name []byte) bool {
	var buf [command.MaxWord]byte
	low := command.Lower(&buf, name)
	if low == nil {
		return len(name) > 0 // so long a name is not known, so it may be secret
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

// hideParameters is the Hider for names and values in turn, or for a map.
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

// appendBlank appends an empty string in place of a value. A null stays.
func appendBlank(dst, value []byte) []byte {
	if parser.IsNull(value) {
		return append(dst, value...)
	}
	return parser.AppendBulk(dst, nil)
}

// hideModuleArgs is the Hider for a list of modules, as in MODULE LIST and HELLO. Modules' args may have passwords among them.
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
			case namesSecret(field):
				field = []byte("*0\r\n")
			}
			dst = append(dst, field...)
		}
	}
	return dst, true
}

// AppendModules appends a server's list of modules to b, as clients may see it. Borrows modules until return. Loop-only.
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

// namesSecret reports whether a word of an array is the name of a secret.
func namesSecret(words []byte) bool {
	e, ok := parser.ElementsOf(words)
	for ok && e.Left() > 0 {
		word, isText := parser.Text(e.Next())
		if !isText || secretName(word) {
			return true
		}
	}
	return false
}

// Hides reports whether clients must not see all of the reply to a command. Loop-only.
func Hides(d *session.Door, spec *command.Spec) bool {
	return spec.Traits.Has(command.TraitShowsSecrets) && !d.Config.AdminCommands
}

// PassHiding sends a command for which Hides is true to any server, and blanks the secrets in the reply. Borrows req until return. Loop-only.
func PassHiding(s *session.Session, spec *command.Spec, req *parser.Request) {
	g := gather.New(s, spec, len(req.Raw))
	g.Special = joinHidden
	g.Delay()
	g.Ask(s.AnyServer(), req.Raw)
	g.Start()
}

// joinHidden appends the only part, with blanks for secrets.
func joinHidden(g *gather.Gather, dst []byte) []byte {
	before := len(dst)
	dst, ok := Hiders[g.Spec.Name](dst, g.Parts[0].Buf.B)
	if !ok {
		return parser.AppendError(dst[:before], texts.OddReply)
	}
	return dst
}
