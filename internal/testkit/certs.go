package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA makes certificates for a test.
type CA struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	next int64
	// Pool trusts the CA. File has its certificate.
	Pool *x509.CertPool
	File string
}

// Cert is a certificate with its key, also as files.
type Cert struct {
	tls.Certificate
	CertFile, KeyFile string
}

// NewCA makes a CA. Its files end with the test.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{t: t, dir: t.TempDir(), Pool: x509.NewCertPool()}
	template := ca.template("test CA")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	ca.key = ca.newKey()
	ca.cert = ca.sign(template, template, ca.key, ca.key)
	ca.Pool.AddCert(ca.cert)
	ca.File = ca.write("ca.crt", "CERTIFICATE", ca.cert.Raw)
	return ca
}

// Issue makes a certificate for names, which are host names and IP addresses. The first is also its CN.
func (ca *CA) Issue(names ...string) Cert {
	ca.t.Helper()
	return ca.IssueUntil(time.Now().Add(24*time.Hour), names...)
}

// IssueUntil is Issue with the end of the certificate's time.
func (ca *CA) IssueUntil(end time.Time, names ...string) Cert {
	ca.t.Helper()
	template := ca.template(names[0])
	template.NotAfter = end
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	key := ca.newKey()
	leaf := ca.sign(template, ca.cert, key, ca.key)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		ca.t.Fatal(err)
	}
	serial := leaf.SerialNumber.String()
	return Cert{
		Certificate: tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf},
		CertFile:    ca.write(serial+".crt", "CERTIFICATE", leaf.Raw),
		KeyFile:     ca.write(serial+".key", "PRIVATE KEY", secret),
	}
}

func (ca *CA) template(name string) *x509.Certificate {
	ca.next++
	return &x509.Certificate{
		SerialNumber: big.NewInt(ca.next), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func (ca *CA) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.t.Fatal(err)
	}
	return key
}

func (ca *CA) sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		ca.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		ca.t.Fatal(err)
	}
	return cert
}

func (ca *CA) write(name, kind string, der []byte) string {
	path := filepath.Join(ca.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		ca.t.Fatal(err)
	}
	return path
}

// DialTLS is Dial over TLS, with the handshake made.
func DialTLS(t testing.TB, addr string, cfg *tls.Config) *Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	secure := tls.Client(c, cfg)
	_ = c.SetDeadline(time.Now().Add(Patience))
	if err := secure.Handshake(); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	_ = c.SetDeadline(time.Time{})
	conn := NewConn(secure)
	conn.t = t
	t.Cleanup(func() { conn.Close() })
	return conn
}
