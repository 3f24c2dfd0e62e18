package testkit

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// SettingsFile returns the file that the proxy was started with, if ProxyOptions has Settings.
func (s *Server) SettingsFile() string { return filepath.Join(s.Dir, "ringmaster.yaml") }

// WriteSettings replaces the text of the settings file in one step. The proxy does not read it by itself. Any
// goroutine, one at a time.
func (s *Server) WriteSettings(text string) error {
	next := s.SettingsFile() + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, s.SettingsFile())
}

// Reloaded is the answer of POST /reload.
type Reloaded struct {
	Status       int
	Generation   uint64   `json:"generation"`
	Changed      []string `json:"changed"`
	NeedsRestart []string `json:"needs_restart"`
	Problems     []string `json:"problems"` // when nothing has changed
}

// PostReload makes the proxy read its settings again, and waits for the result. Any goroutine.
func (s *Server) PostReload() (Reloaded, error) {
	client := http.Client{Timeout: 2 * Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post("http://"+s.Admin+"/reload", "", nil)
	if err != nil {
		return Reloaded{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return Reloaded{}, err
	}
	done := Reloaded{Status: resp.StatusCode}
	if err := json.Unmarshal(body, &done); err != nil {
		return done, fmt.Errorf("status %d, %q: %w", resp.StatusCode, body, err)
	}
	return done, nil
}

// Reload makes the proxy load another text of settings, and ends the test if the proxy refuses it.
func (s *Server) Reload(t testing.TB, text string) Reloaded {
	t.Helper()
	done := s.TryReload(t, text)
	if done.Status != http.StatusOK {
		t.Fatalf("the settings are refused with %d: %s\n%s", done.Status, strings.Join(done.Problems, "\n"), text)
	}
	return done
}

// TryReload is Reload that may be refused.
func (s *Server) TryReload(t testing.TB, text string) Reloaded {
	t.Helper()
	if err := s.WriteSettings(text); err != nil {
		t.Fatal(err)
	}
	done, err := s.PostReload()
	if err != nil {
		t.Fatalf("POST /reload: %v", err)
	}
	return done
}
