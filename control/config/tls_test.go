package config

import (
	"slices"
	"testing"
)

const oneTLS = "upstream: a:1\nlisteners:\n - address: 127.0.0.1:1\n   tls:\n    "

func TestMistakesInTLSSettings(t *testing.T) {
	for text, want := range map[string]string{
		oneTLS + "cert-file: c": "r.yaml:5: listeners[0].tls.key-file: is not given; want the file with the private key of c\nr.yaml:5: listeners[0].tls.ca-cert-file: is not given, and clients are asked for a certificate (tls.auth-clients yes); give the file with their CA, or auth-clients: no",
		oneTLS + "cert-file: [c, d]\n    key-file: k\n    auth-clients: no":                                 "r.yaml:6: listeners[0].tls.key-file: there are 1 keys, and 2 certificates; want a key for each certificate, in the same order",
		oneTLS + "cert-file: c\n    key-file: k\n    auth-clients: optional":                                "r.yaml:7: listeners[0].tls.ca-cert-file: is not given, and clients are asked for a certificate (tls.auth-clients optional); give the file with their CA, or auth-clients: no",
		oneTLS + "cert-file: c\n    key-file: k\n    auth-clients: maybe":                                   `r.yaml:7: listeners[0].tls.auth-clients: "maybe": want one of yes, optional, no`,
		oneTLS + "cert-file: c\n    key-file: k\n    protocols: [TLSv1.1]":                                  `r.yaml:7: listeners[0].tls.protocols[0]: "TLSv1.1": want TLSv1.2, TLSv1.3 or both; did you mean "TLSv1.2"?`,
		oneTLS + "auth-clients: no":                                                                         "r.yaml:5: listeners[0].tls.auth-clients: has no effect without tls.cert-file",
		oneTLS + "cert-flie: c":                                                                             `r.yaml:5: listeners[0].tls: unknown setting "cert-flie"; did you mean "cert-file"?`,
		oneTLS + "tls-cert-file: c":                                                                         "r.yaml:5: listeners[0].tls.tls-cert-file: is called cert-file in the tls settings of a listener",
		oneTLS + "tls.cert-file: c":                                                                         `r.yaml:5: listeners[0].tls: unknown setting "tls.cert-file"`,
		oneTLS + "cert-file: c\n    cert-file: d":                                                           "r.yaml:6: listeners[0].tls.cert-file: given twice; first at r.yaml:5",
		oneTLS + "cert-file: ''":                                                                            `r.yaml:5: listeners[0].tls.cert-file: has no value; give one ('' for an empty one), or remove the line`,
		"upstream: a:1\nlisteners: [{address: ':1', tls-cert-file: c}]":                                     "r.yaml:2: listeners[0].tls-cert-file: is called tls.cert-file in a listener",
		"upstream: a:1\nlisteners: [{address: ':1', tls.cert-file: c}]":                                     `r.yaml:2: listeners[0]: unknown setting "tls.cert-file"`,
		"upstreams: {m: {servers: 'a:1', tls-cert-file: c}}":                                                "r.yaml:1: upstreams.m.tls-cert-file: is not possible in an upstream; it belongs at the top level, or in a listener as tls.cert-file",
		"upstream: a:1\nlisteners: [{address: 'unix:///x', tls: {cert-file: c}}]":                           "r.yaml:2: listeners[0].tls.cert-file: a unix socket does not speak TLS; leave this out, or use another address",
		"upstream: a:1\ntls-key-file: k":                                                                    "r.yaml:2: tls-key-file: has no effect without tls-cert-file",
		"upstream: a:1\ntls-cert-file: c\ntls-key-file: k\n":                                                "r.yaml:2: tls-ca-cert-file: is not given, and clients are asked for a certificate (tls-auth-clients yes); give the file with their CA, or --tls-auth-clients no",
		"upstream: a:1\ntls-cert-file: c\ntls-key-file: k\ntls-auth-clients: no\ntls-auth-clients-user: cn": `r.yaml:5: tls-auth-clients-user: cn is not available yet, because there are no users besides "default"; want off`,
		"upstream: a:1\nlisten: ':1'\ntls-cert-file: c\ntls-key-file: k\ntls-auth-clients: no": "r.yaml:2: listen: :1 can be reached from other machines, and no password is set (protected mode); set one with --password-file or " +
			"$RINGMASTER_PASSWORD, or listen on 127.0.0.1, or, if the network keeps others out, give --protected-mode=false",
	} {
		refused(t, text, want)
	}
}

func TestWhichListenersSpeakTLS(t *testing.T) {
	c := mustLoadText(t, `
upstream: a:1
tls-cert-file: c
tls-key-file: k
tls-ca-cert-file: ca
protected-mode: true
listeners:
 - address: ':1'
 - address: ':2'
   password: x
   tls: off
 - address: 'unix:///x'
 - address: ':3'
   tls: {protocols: 'TLSv1.3 TLSv1.2', cert-file: [d, e], key-file: [l, m]}
`)
	var speak []bool
	for _, l := range c.Listeners {
		speak = append(speak, l.TLS())
	}
	if want := []bool{true, false, false, true}; !slices.Equal(speak, want) {
		t.Errorf("%v; want %v", speak, want)
	}
	last := c.Listeners[3]
	if !slices.Equal(last.TLSCertFiles, []string{"d", "e"}) || last.TLSCAFile != "ca" || !slices.Equal(last.TLSProtocols, []string{TLSv12, TLSv13}) {
		t.Errorf("%+v", last.Config)
	}
	if c.Listeners[1].TLSCAFile != "" || c.Listeners[1].TLSAuthClients != TLSAuthYes {
		t.Errorf("%+v", c.Listeners[1].Config)
	}
}
