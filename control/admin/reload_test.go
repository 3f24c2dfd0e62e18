package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// post sends a request to /reload and returns the status and the body.
func post(t *testing.T, addr, method, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+"/reload", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestReloadAnswers(t *testing.T) {
	source := &fakeLoops{}
	addr := serve(t, Config{Source: source})
	for _, c := range []struct {
		done *Reloaded
		err  error
		code int
		body string
	}{
		{&Reloaded{Generation: 2, Hash: 7, Changed: []string{"timeout"}, NeedsRestart: []string{}}, nil, 200,
			"{\n  \"generation\": 2,\n  \"hash\": 7,\n  \"changed\": [\n    \"timeout\"\n  ],\n  \"needs_restart\": []\n}\n"},
		{nil, errors.New("r.yaml:1: a\nr.yaml:2: b"), 422, "{\n  \"problems\": [\n    \"r.yaml:1: a\",\n    \"r.yaml:2: b\"\n  ]\n}\n"},
		{nil, ErrStopping, 503, "{\n  \"problems\": [\n    \"ringmaster is stopping\"\n  ]\n}\n"},
	} {
		source.reload = func(context.Context) (*Reloaded, error) { return c.done, c.err }
		if code, body := post(t, addr, "POST", ""); code != c.code || body != c.body {
			t.Errorf("%v: %d %s", c.err, code, body)
		}
	}
}

func TestReloadIsRefusedToPagesOfOtherSites(t *testing.T) {
	calls := 0
	addr := serve(t, Config{Source: &fakeLoops{reload: func(context.Context) (*Reloaded, error) { calls++; return &Reloaded{}, nil }}})
	for _, c := range []struct {
		headers []string
		code    int
	}{
		{nil, 200},
		{[]string{"Origin", "http://" + addr}, 200},
		{[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://" + addr}, 200},
		{[]string{"Sec-Fetch-Site", "none"}, 200},
		{[]string{"Origin", "http://evil.example"}, 403},
		{[]string{"Origin", "null"}, 403},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://" + addr}, 403},
	} {
		before := calls
		code, _ := post(t, addr, "POST", "", c.headers...)
		if code != c.code || (calls > before) != (code == 200) {
			t.Errorf("%v: %d", c.headers, code)
		}
	}
}

func TestReloadTakesPostWithNoBodyToSpeakOf(t *testing.T) {
	calls := 0
	addr := serve(t, Config{Source: &fakeLoops{reload: func(context.Context) (*Reloaded, error) { calls++; return &Reloaded{}, nil }}})
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
		if code, _ := post(t, addr, method, ""); code != 405 {
			t.Errorf("%s: %d", method, code)
		}
	}
	if code, _ := post(t, addr, "POST", strings.Repeat("x", maxReloadBody+1)); code != 413 {
		t.Errorf("a long body: %d", code)
	}
	if calls != 0 {
		t.Errorf("%d reloads", calls)
	}
	if code, _ := post(t, addr, "POST", "{}"); code != 200 || calls != 1 {
		t.Errorf("%d", code)
	}
}

// patient records the deadlines that a handler sets.
type patient struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (p *patient) SetReadDeadline(t time.Time) error  { p.read = t; return nil }
func (p *patient) SetWriteDeadline(t time.Time) error { p.write = t; return nil }

// TestASlowReloadHasADeadlineOfItsOwn: the server's deadline would cut its answer, and end its context.
func TestASlowReloadHasADeadlineOfItsOwn(t *testing.T) {
	w := &patient{ResponseRecorder: httptest.NewRecorder()}
	h := &handler{Config: Config{Source: &fakeLoops{reload: func(ctx context.Context) (*Reloaded, error) {
		if deadline, ok := ctx.Deadline(); !ok || !w.read.After(deadline) || !w.write.After(deadline) {
			t.Errorf("it may take until %v, and is cut at %v and %v", deadline, w.read, w.write)
		}
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return nil, ctx.Err()
	}}}}
	h.reload(w, httptest.NewRequest("POST", "/reload", nil))
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d", w.Code)
	}
}

func TestWhoseWaitIsOverIsToldSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h := &handler{Config: Config{Source: &fakeLoops{reload: func(ctx context.Context) (*Reloaded, error) { return nil, ctx.Err() }}}}
	h.reload(w, httptest.NewRequestWithContext(ctx, "POST", "/reload", nil))
	if w.Code != http.StatusGatewayTimeout || !strings.Contains(w.Body.String(), "still runs") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
