package dialer

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted plays one attempt after the other. An attempt that hangs ends with the context.
func scripted(play ...func(ctx context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
	calls := make(chan func(ctx context.Context) (net.Conn, error), len(play))
	for _, p := range play {
		calls <- p
	}
	return func(ctx context.Context) (net.Conn, error) { return (<-calls)(ctx) }
}

func hangs(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnAttemptThatHangsIsOvertaken(t *testing.T) {
	conn, peer := net.Pipe()
	defer peer.Close()
	got, err := race(t.Context(), time.Millisecond, scripted(hangs, hangs, func(context.Context) (net.Conn, error) { return conn, nil }, hangs))
	if err != nil || got != conn {
		t.Fatalf("%v, %v", got, err)
	}
	conn.Close()
}

func TestARefusalEndsAll(t *testing.T) {
	refused := errors.New("refused")
	got, err := race(t.Context(), time.Hour, scripted(func(context.Context) (net.Conn, error) { return nil, refused }))
	if err != refused || got != nil {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestTwoThatConnectAreOneConnection(t *testing.T) {
	first, _ := net.Pipe()
	second, peer := net.Pipe()
	began := make(chan struct{})
	got, err := race(t.Context(), time.Millisecond, scripted(
		func(context.Context) (net.Conn, error) { <-began; return first, nil },
		func(ctx context.Context) (net.Conn, error) { close(began); <-ctx.Done(); return second, nil },
		hangs, hangs,
	))
	if err != nil || got != first {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := peer.Read(make([]byte, 1)); err == nil {
		t.Error("the other one is open")
	}
	first.Close()
}

func TestDialSaysWhatIsWrong(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := Dial(t.Context(), "tcp", l.Addr().String(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	l.Close()
	if _, err := Dial(t.Context(), "tcp", l.Addr().String(), time.Minute); err == nil {
		t.Error("nobody listens")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := race(ctx, time.Hour, hangs); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
