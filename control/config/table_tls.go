package config

import "time"

var tlsSettings = []*Setting{
	{
		Name: "tls-cert-file", Group: Secure, Unit: "file", list: true,
		Place: InListener | InTLS, Change: NewConnections,
		Help: "File with the certificate that clients see, in PEM form, and after it the certificates between it and its CA. It makes " +
			"the listener speak TLS and nothing else. A unix socket never speaks TLS. May be given several times: a client gets the " +
			"first certificate that is valid for the name that it asks for (SNI), or the first of all.",
		Choose:  "The files are read at start, at each reload, and when they change: docs/tls.md.",
		Example: "tls-cert-file: /etc/ringmaster/tls.crt",
		value:   value{appending(func(c *Config) *[]string { return &c.TLSCertFiles }), of(func(c *Config) *[]string { return &c.TLSCertFiles })},
	},
	{
		Name: "tls-key-file", Group: Secure, Unit: "file", list: true,
		Place: InListener | InTLS, Change: NewConnections,
		Help:    "File with the private key of tls-cert-file, in PEM form and without a password. Give as many keys as certificates, in the same order.",
		Choose:  "Only the user of ringmaster should be able to read it.",
		Example: "tls-key-file: /etc/ringmaster/tls.key",
		value:   value{appending(func(c *Config) *[]string { return &c.TLSKeyFiles }), of(func(c *Config) *[]string { return &c.TLSKeyFiles })},
	},
	{
		Name: "tls-ca-cert-file", Group: Secure, Unit: "file",
		Place: InListener | InTLS, Change: NewConnections,
		Help:    "File with the certificates of the CAs that certificates of clients must come from, in PEM form.",
		Choose:  "Use a CA that issues certificates to these clients only. One of the public CAs would let in everybody who has a certificate.",
		Example: "tls-ca-cert-file: /etc/ringmaster/clients.crt",
		value:   text(func(c *Config) *string { return &c.TLSCAFile }),
	},
	{
		Name: "tls-auth-clients", Group: Secure, Unit: "word", Default: "yes",
		Place: InListener | InTLS, Change: NewConnections,
		Help: "Whether clients need a certificate of tls-ca-cert-file, as in Redis. yes: they need one. optional: they may have one, " +
			"and one that is not accepted is refused. no: they are not asked.",
		Choose: "A password is needed besides if one is set. With yes, protected-mode accepts a listener without a password.",
		Words:  []string{TLSAuthYes, TLSAuthOptional, TLSAuthNo}, Example: "tls-auth-clients: optional",
		value: text(func(c *Config) *string { return &c.TLSAuthClients }),
	},
	{
		Name: "tls-auth-clients-user", Group: Secure, Unit: "word", Default: "off",
		Place: InListener | InTLS, Change: NewConnections,
		Help:    "The part of a client's certificate that names the user that the client is logged in as.",
		Choose:  "Only off is possible now, because there are no users besides \"default\".",
		Words:   []string{"off", "cn", "uri"},
		Example: "tls-auth-clients-user: off",
		value:   text(func(c *Config) *string { return &c.TLSAuthClientsUser }),
	},
	{
		Name: "tls-protocols", Group: Secure, Unit: "name", Default: TLSv12 + "," + TLSv13, list: true,
		Place: InListener | InTLS, Change: NewConnections,
		Help:    "Versions of TLS that clients may use: TLSv1.2, TLSv1.3, or both.",
		Choose:  "TLSv1.3 alone keeps out clients of before 2018. Ciphers can't be chosen: only those that are safe are offered.",
		Example: "tls-protocols: [TLSv1.3]",
		value:   value{applyProtocols, of(func(c *Config) *[]string { return &c.TLSProtocols })},
	},
	{
		Name: "tls-reload-interval", Group: Secure, Unit: "duration", Default: "10s",
		Change: Live,
		Help: "How often the files with certificates and keys are looked at. New ones count for later connections. New files that can't " +
			"be read, do not fit together or are out of date are refused, logged and counted, and the old certificates stay. 0 means " +
			"only at reloads.",
		Raise:   "A new certificate is used later.",
		Lower:   "The files are read more often.",
		Example: "tls-reload-interval: 1m",
		value:   duration(func(c *Config) *time.Duration { return &c.TLSReloadInterval }, 0, 24*time.Hour),
	},
	{
		Name: "max-handshakes", Group: Secure, Unit: "number", Default: "1000",
		Change: Live,
		Help: "TLS handshakes under way at once. When there are so many, a new client takes the place of the client that has been " +
			"silent longest, if that has been silent for a second; otherwise new clients wait.",
		Raise:   "More memory while many clients connect: about 20 KB for each.",
		Lower:   "Clients that connect slowly are closed earlier when many connect.",
		Example: "max-handshakes: 200",
		value:   number(func(c *Config) *int { return &c.MaxHandshakes }, 1, 1_000_000),
	},
	{
		Name: "handshake-timeout", Group: Secure, Unit: "duration", Default: "10s",
		Change:  Live,
		Help:    "Closes a client whose TLS handshake is not over after this time.",
		Raise:   "Clients that are silent hold a descriptor longer.",
		Lower:   "Clients far away, or many that connect at once, are closed.",
		Example: "handshake-timeout: 5s",
		value:   duration(func(c *Config) *time.Duration { return &c.HandshakeTimeout }, 100*time.Millisecond, 10*time.Minute),
	},
}
