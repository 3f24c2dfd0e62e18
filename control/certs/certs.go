package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// maxFile bounds a file, bytes.
const maxFile = 1 << 20

// Settings say how a listener speaks TLS.
type Settings struct {
	// CertFiles have certificates, KeyFiles their keys in the same order.
	CertFiles, KeyFiles []string
	// CAFile has the CAs of clients; "": there is none.
	CAFile string
	// Clients says whether clients need certificates.
	Clients tls.ClientAuthType
	// MinVersion and MaxVersion bound the versions of TLS.
	MinVersion, MaxVersion uint16
}

// Error is a problem with a file.
type Error struct {
	// Setting is the setting that names the file, in the words of redis.conf.
	Setting string
	Cause   error
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Expiry says until when a certificate is valid.
type Expiry struct {
	File  string
	Until time.Time
}

// Material is the content of the files of a listener.
type Material struct {
	// Settings say which files, and how they are used.
	Settings Settings
	config   *tls.Config
	digest   [sha256.Size]byte
	// Expiries are those of the certificates that clients see, in the order of the settings.
	Expiries []Expiry
	starts   []time.Time // when they become valid
}

// Same reports whether the files have the same content.
func (m *Material) Same(o *Material) bool { return m.digest == o.digest }

// Current returns an error for a certificate that is not valid at a time.
func (m *Material) Current(now time.Time) error {
	for i, e := range m.Expiries {
		switch {
		case now.After(e.Until):
			return &Error{"tls-cert-file", fmt.Errorf("%s: the certificate was valid until %s", e.File, e.Until.Format(time.RFC3339))}
		case now.Before(m.starts[i]):
			return &Error{"tls-cert-file", fmt.Errorf("%s: the certificate is not valid before %s", e.File, m.starts[i].Format(time.RFC3339))}
		}
	}
	return nil
}

// Read reads the files. The error is an *Error. It reads files, so it may wait.
func Read(s Settings) (*Material, error) {
	m, hash := &Material{Settings: s}, sha256.New()
	m.config = &tls.Config{
		MinVersion: s.MinVersion, MaxVersion: s.MaxVersion, ClientAuth: s.Clients,
		DynamicRecordSizingDisabled: true, // it is meant for browsers; many small records cost time
	}
	read := func(setting, path string) ([]byte, error) {
		b, err := readFile(path)
		if err != nil {
			return nil, &Error{setting, err}
		}
		fmt.Fprintf(hash, "%d ", len(b))
		hash.Write(b)
		return b, nil
	}
	for i, path := range s.CertFiles {
		chain, err := read("tls-cert-file", path)
		if err != nil {
			return nil, err
		}
		key, err := read("tls-key-file", s.KeyFiles[i])
		if err != nil {
			return nil, err
		}
		cert, err := pair(chain, key, path, s.KeyFiles[i])
		if err != nil {
			return nil, err
		}
		m.config.Certificates = append(m.config.Certificates, cert)
		m.Expiries = append(m.Expiries, Expiry{path, cert.Leaf.NotAfter})
		m.starts = append(m.starts, cert.Leaf.NotBefore)
	}
	if s.CAFile != "" {
		b, err := read("tls-ca-cert-file", s.CAFile)
		if err != nil {
			return nil, err
		}
		if m.config.ClientCAs, err = pool(b, s.CAFile); err != nil {
			return nil, err
		}
	}
	hash.Sum(m.digest[:0])
	return m, nil
}

// pair joins a certificate and its key.
func pair(chain, key []byte, chainPath, keyPath string) (tls.Certificate, error) {
	if _, err := parse(chain); err != nil {
		return tls.Certificate{}, &Error{"tls-cert-file", fmt.Errorf("%s: %w", chainPath, err)}
	}
	block := firstBlock(key, func(kind string) bool { return kind != "CERTIFICATE" && kind != "EC PARAMETERS" })
	switch {
	case block == nil:
		return tls.Certificate{}, &Error{"tls-key-file", fmt.Errorf("%s: there is no private key in it; want PEM form, with a line BEGIN PRIVATE KEY", keyPath)}
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return tls.Certificate{}, &Error{"tls-key-file", fmt.Errorf("%s: the key has a password; write it without one: openssl pkey -in %s -out FILE", keyPath, keyPath)}
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return cert, &Error{"tls-key-file", fmt.Errorf("%s, for the certificate %s: %w", keyPath, chainPath, err)}
	}
	return cert, nil
}

// parse returns all certificates of a file.
func parse(b []byte) (list []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d in it: %w", len(list)+1, err)
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, errors.New("there is no certificate in it; want PEM form, with a line BEGIN CERTIFICATE")
	}
	return list, nil
}

// firstBlock returns the first PEM block of a kind; nil: there is none.
func firstBlock(b []byte, is func(kind string) bool) *pem.Block {
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil || is(block.Type) {
			return block
		}
	}
}

// pool makes the set of CAs.
func pool(b []byte, path string) (*x509.CertPool, error) {
	list, err := parse(b)
	if err != nil {
		return nil, &Error{"tls-ca-cert-file", fmt.Errorf("%s: %w", path, err)}
	}
	p := x509.NewCertPool()
	for _, cert := range list {
		p.AddCert(cert)
	}
	return p, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxFile:
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	case len(bytes.TrimSpace(b)) == 0:
		return nil, fmt.Errorf("%s: is empty", path)
	}
	return b, nil
}

// Server is the TLS of one listener.
type Server struct {
	config  *tls.Config
	current atomic.Pointer[Material]
}

// NewServer makes the TLS of a listener.
func NewServer(m *Material) *Server {
	s := &Server{}
	s.current.Store(m)
	// The keys of session tickets are those of this config, so that sessions outlive a change of the material.
	s.config = &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current.Load().config, nil },
	}
	return s
}

// Config returns what the data plane needs. It stays the same.
func (s *Server) Config() *tls.Config { return s.config }

// Current returns the material in use.
func (s *Server) Current() *Material { return s.current.Load() }

// Use changes the material for later clients.
func (s *Server) Use(m *Material) { s.current.Store(m) }
