package config

import (
	"fmt"
	"slices"
	"strings"
)

// Whether clients need certificates.
const (
	TLSAuthYes      = "yes"
	TLSAuthOptional = "optional"
	TLSAuthNo       = "no"
)

// The versions of TLS.
const (
	TLSv12 = "TLSv1.2"
	TLSv13 = "TLSv1.3"
)

// TLS reports whether the listener speaks TLS. Any goroutine.
func (l Listener) TLS() bool { return len(l.TLSCertFiles) > 0 }

// plainUnix forgets what the top level says about TLS, for a unix socket.
func (l Listener) plainUnix() {
	if strings.HasPrefix(l.Address, UnixPrefix) && !l.own("tls-cert-file") {
		l.withoutTLS()
	}
}

// appending adds each value to a list.
func appending(field func(*Config) *[]string) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		if slices.Contains(values, "") {
			return errNoValue
		}
		*field(c) = slices.Clone(values)
		return nil
	}
}

func applyProtocols(c *Config, values []string) error {
	var list []string
	for _, v := range values {
		for _, word := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			if word != TLSv12 && word != TLSv13 {
				return fmt.Errorf("want %s, %s or both%s", TLSv12, TLSv13, DidYouMean(word, []string{TLSv12, TLSv13}))
			}
			list = append(list, word)
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("want %s, %s or both", TLSv12, TLSv13)
	}
	slices.Sort(list)
	c.TLSProtocols = slices.Compact(list)
	return nil
}

// withoutTLS forgets the TLS settings that an object has from the top level.
func (c *Config) withoutTLS() {
	for _, s := range tlsSettings {
		if s.Place&InTLS == 0 {
			continue
		}
		if s.Default != "" {
			c.reset(s.Name)
		}
		c.forget(s.Name)
	}
	c.TLSCertFiles, c.TLSKeyFiles, c.TLSCAFile = nil, nil, ""
}

// checkTLS checks the TLS settings of each listener.
func (c *Config) checkTLS(ps *Problems) {
	for _, l := range c.Listeners {
		switch {
		case !l.flat() && strings.HasPrefix(l.Address, UnixPrefix) && l.TLS():
			l.complain(ps, "tls-cert-file", "a unix socket does not speak TLS; leave this out, or use another address")
		case len(l.TLSCertFiles) > 0:
			l.checkSecured(ps)
		default:
			l.refuseUnusedTLS(ps)
		}
		if l.flat() {
			return // the others have the same settings
		}
	}
}

// checkSecured checks settings with a certificate.
func (c *Config) checkSecured(ps *Problems) {
	switch n, m := len(c.TLSCertFiles), len(c.TLSKeyFiles); {
	case m == 0:
		c.complainAt(c.origin["tls-cert-file"], ps, "tls-key-file", "is not given; want the file with the private key of %s", c.TLSCertFiles[0])
	case n != m:
		c.complain(ps, "tls-key-file", "there are %d keys, and %d certificates; want a key for each certificate, in the same order", m, n)
	}
	if c.TLSAuthClients != TLSAuthNo && c.TLSCAFile == "" {
		c.complainAt(c.first("tls-auth-clients", "tls-cert-file"), ps, "tls-ca-cert-file",
			"is not given, and clients are asked for a certificate (%s %s); give the file with their CA, or %s",
			c.keyHere("tls-auth-clients"), c.TLSAuthClients, c.say("--tls-auth-clients no", "auth-clients: no"))
	}
	if c.TLSAuthClientsUser != "off" {
		c.complain(ps, "tls-auth-clients-user", "%s is not available yet, because there are no users besides \"default\"; want off", c.TLSAuthClientsUser)
	}
}

// refuseUnusedTLS refuses settings that only matter with a certificate.
func (c *Config) refuseUnusedTLS(ps *Problems) {
	for _, name := range []string{"tls-key-file", "tls-ca-cert-file", "tls-auth-clients", "tls-auth-clients-user", "tls-protocols"} {
		if c.own(name) {
			c.complain(ps, name, "has no effect without %s", c.keyHere("tls-cert-file"))
			return
		}
	}
}
