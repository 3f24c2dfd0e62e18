package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/google/pprof/profile"
)

// profile takes a CPU profile of ringmaster for most of a sample, if -profile asks for one. The caller calls wait after
// the sample.
func (r *runner) profile(ctx context.Context, in *instance) (wait func() error) {
	if r.opts.profile == "" || in.peer.name != ringmaster {
		return func() error { return nil }
	}
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", in.admin, max(1, int(r.opts.seconds*0.8)))
	done := make(chan error, 1)
	go func() {
		p, err := fetchProfile(ctx, url)
		if err == nil {
			r.profiles = append(r.profiles, p) // the caller waits before anybody reads it
		}
		done <- err
	}()
	return func() error { return <-done }
}

func fetchProfile(ctx context.Context, url string) (*profile.Profile, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("profile: %s", answer.Status)
	}
	return profile.Parse(answer.Body)
}

// writeProfile joins the profiles into the file that -profile names.
func (r *runner) writeProfile() error {
	if r.opts.profile == "" {
		return nil
	}
	if len(r.profiles) == 0 {
		return errors.New("-profile: no sample of redis-benchmark was taken of ringmaster")
	}
	all, err := profile.Merge(r.profiles)
	if err != nil {
		return err
	}
	f, err := os.Create(r.opts.profile)
	if err != nil {
		return err
	}
	return errors.Join(all.Write(f), f.Close())
}
