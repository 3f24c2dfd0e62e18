package process

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ringmaster/control/certs"
	"ringmaster/control/config"
	"ringmaster/stats"
)

// secured is the TLS of one listener, with what became of its files.
type secured struct {
	*certs.Server
	mu            sync.Mutex // held to change what is in use, and for the following
	done, refused uint64
	problem       string // the latest one that was logged, until the files are good again
}

// tlsOf returns the TLS of a listener of s; nil: it has none.
func (s *state) tlsOf(name string) *secured {
	for i, l := range s.config.Listeners {
		if l.Name == name && i < len(s.tls) {
			return s.tls[i]
		}
	}
	return nil
}

// tlsConfig returns what the data plane needs for the ith listener.
func (s *state) tlsConfig(i int) *tls.Config {
	if i >= len(s.tls) || s.tls[i] == nil {
		return nil
	}
	return s.tls[i].Config()
}

var (
	clientAuth = map[string]tls.ClientAuthType{
		config.TLSAuthNo: tls.NoClientCert, config.TLSAuthOptional: tls.VerifyClientCertIfGiven, config.TLSAuthYes: tls.RequireAndVerifyClientCert,
	}
	tlsVersions = map[string]uint16{config.TLSv12: tls.VersionTLS12, config.TLSv13: tls.VersionTLS13}
)

// certSettings translates the TLS settings of a listener.
func certSettings(l config.Listener) certs.Settings {
	return certs.Settings{
		CertFiles: l.TLSCertFiles, KeyFiles: l.TLSKeyFiles, CAFile: l.TLSCAFile, Clients: clientAuth[l.TLSAuthClients],
		MinVersion: tlsVersions[l.TLSProtocols[0]], MaxVersion: tlsVersions[l.TLSProtocols[len(l.TLSProtocols)-1]],
	}
}

// readCerts reads the files of all listeners of c; nil: the listener has no TLS. The error has a problem for each
// listener whose files are wrong.
func readCerts(c *config.Config) ([]*certs.Material, error) {
	list := make([]*certs.Material, len(c.Listeners))
	var failed config.Problems
	seen := map[string]bool{} // flat settings would give the same problem for each listener
	for i, l := range c.Listeners {
		if !l.TLS() {
			continue
		}
		m, err := certs.Read(certSettings(l))
		if err == nil {
			list[i] = m
			continue
		}
		if p := certProblem(l, err); !seen[p.Error()] {
			seen[p.Error()] = true
			failed = append(failed, p)
		}
	}
	if len(failed) > 0 {
		return nil, failed
	}
	return list, nil
}

// certProblem adds the place of the setting to an error of certs.
func certProblem(l config.Listener, err error) config.Problem {
	setting := "tls-cert-file"
	var of *certs.Error
	if errors.As(err, &of) {
		setting = of.Setting
	}
	return l.Problem(setting, err)
}

// CheckFiles reads the certificates of c. The error has a problem for each mistake.
func CheckFiles(c *config.Config) error {
	list, err := readCerts(c)
	if err != nil {
		return err
	}
	var failed config.Problems
	for i, m := range list {
		if m == nil {
			continue
		}
		if err := m.Current(time.Now()); err != nil {
			failed = append(failed, certProblem(c.Listeners[i], err))
		}
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// secure makes the TLS of all listeners at the start. A certificate that is out of date is better than no listener.
func (p *process) secure(c *config.Config) ([]*secured, error) {
	list, err := readCerts(c)
	if err != nil {
		return nil, err
	}
	all := make([]*secured, len(list))
	for i, m := range list {
		if m == nil {
			continue
		}
		all[i] = &secured{Server: certs.NewServer(m)}
		if err := m.Current(time.Now()); err != nil {
			p.Log.Error("clients will not accept this certificate", slog.String("listener", c.Listeners[i].Name), slog.Any("cause", err))
		}
	}
	return all, nil
}

// readCerts reads the files for a reload.
func (b *build) readCerts(context.Context) error {
	if err := CheckFiles(b.next.config); err != nil {
		return err
	}
	list, err := readCerts(b.next.config)
	if err != nil {
		return err
	}
	b.next.tls = make([]*secured, len(list))
	for i, m := range list {
		if m == nil {
			continue
		}
		was := b.old.tlsOf(b.next.config.Listeners[i].Name)
		if was == nil {
			b.next.tls[i] = &secured{Server: certs.NewServer(m)}
			continue
		}
		b.next.tls[i] = was // with the keys of its session tickets
		b.finish = append(b.finish, func() { was.take(m) })
	}
	return nil
}

// take puts material into use.
func (s *secured) take(m *certs.Material) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !m.Same(s.Current()) {
		s.done++
	}
	s.Use(m)
	s.problem = ""
}

// renewCerts reads the files of all listeners again, and puts those that have changed into use. What is wrong is
// logged once. The error says what was wrong.
func (p *process) renewCerts() error {
	now := p.state.Load()
	var failed config.Problems
	for i, l := range now.config.Listeners {
		if i >= len(now.tls) || now.tls[i] == nil {
			continue
		}
		if err := p.renew(now.tls[i], l); err != nil {
			failed = append(failed, certProblem(l, err))
		}
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

func (p *process) renew(s *secured, l config.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := certs.Read(s.Current().Settings) // those of l, or of a reload that is under way
	if err == nil && m.Same(s.Current()) {
		s.problem = ""
		return nil
	}
	if err == nil {
		err = m.Current(time.Now())
	}
	if err != nil {
		s.refused++
		if s.problem != err.Error() {
			s.problem = err.Error()
			p.Log.Error("the new certificates are refused; the old ones stay", slog.String("listener", l.Name), slog.Any("cause", certProblem(l, err)))
		}
		return err
	}
	s.Use(m)
	s.done++
	s.problem = ""
	p.Log.Info("new certificates are in use", slog.String("listener", l.Name), slog.Time("valid_until", m.Expiries[0].Until))
	return nil
}

// lookAtCerts is how often the interval is looked at, which may change.
const lookAtCerts = time.Second

// watchCerts reads the files again at every interval, until ctx ends.
func (p *process) watchCerts(ctx context.Context) {
	ticker := time.NewTicker(lookAtCerts)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if every := p.state.Load().config.TLSReloadInterval; every > 0 && time.Since(last) >= every {
			_ = p.renewCerts() // it was logged
			last = time.Now()
		}
	}
}

// Listeners is admin.Source.
func (s source) Listeners() []stats.ListenerView {
	now := s.state.Load()
	var all []stats.ListenerView
	for i, l := range now.config.Listeners {
		if i >= len(now.tls) || now.tls[i] == nil {
			continue
		}
		v := stats.ListenerView{Name: l.Name, Handshakes: s.data.Handshakes(l.Name)}
		of := now.tls[i]
		of.mu.Lock()
		v.Reloads, v.Refused = of.done, of.refused
		of.mu.Unlock()
		for _, e := range of.Current().Expiries {
			v.Certificates = append(v.Certificates, stats.Certificate{File: e.File, NotAfter: uint64(max(e.Until.Unix(), 0))})
		}
		all = append(all, v)
	}
	return all
}
