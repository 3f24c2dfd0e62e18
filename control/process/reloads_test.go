package process

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"ringmaster/control/admin"
	"ringmaster/control/topology"
)

// reader is the function that reloads calls: each reading reports that it has begun, and ends when the test releases
// it.
type reader struct {
	begun   chan uint64
	let     chan error
	mu      sync.Mutex
	reading uint64
}

func newReader() *reader { return &reader{begun: make(chan uint64), let: make(chan error)} }

func (r *reader) read(context.Context) (*admin.Reloaded, error) {
	r.mu.Lock()
	r.reading++
	n := r.reading
	r.mu.Unlock()
	r.begun <- n
	return &admin.Reloaded{Generation: n}, <-r.let
}

// waiting returns a channel that gets the number of a reading, or its error.
func waiting(asked *reading) <-chan any {
	out := make(chan any, 1)
	go func() {
		<-asked.over
		if asked.err != nil {
			out <- asked.err
		} else {
			out <- asked.result.Generation
		}
	}()
	return out
}

// TestWhatIsAskedForDuringAReadingIsOneMoreAfterIt: each request gets the result of a reading that began after it.
func TestWhatIsAskedForDuringAReadingIsOneMoreAfterIt(t *testing.T) {
	r, reads := newReloads(), newReader()
	r.start(reads.read)
	first := waiting(r.ask())
	if n := <-reads.begun; n != 1 {
		t.Fatalf("reading %d", n)
	}
	var others []<-chan any
	for range 100 {
		others = append(others, waiting(r.ask()))
	}
	reads.let <- nil
	if got := <-first; got != uint64(1) {
		t.Errorf("the first got %v", got)
	}
	<-reads.begun
	late := waiting(r.ask())
	reads.let <- errors.New("wrong")
	for _, o := range others {
		if got := <-o; got == nil || got.(error).Error() != "wrong" {
			t.Errorf("one of the others got %v", got)
		}
	}
	<-reads.begun
	reads.let <- nil
	if got := <-late; got != uint64(3) {
		t.Errorf("the late one got %v", got)
	}
	<-r.stop()
	if reads.reading != 3 {
		t.Errorf("%d readings", reads.reading)
	}
}

func TestAStopEndsWhatWaitsAndRefusesMore(t *testing.T) {
	r, reads := newReloads(), newReader()
	r.start(reads.read)
	under := waiting(r.ask())
	<-reads.begun
	next := waiting(r.ask())
	ended := r.stop()
	select {
	case <-ended:
		t.Error("it does not wait for the one that is under way")
	default:
	}
	if _, err := r.wait(t.Context()); !errors.Is(err, admin.ErrStopping) {
		t.Errorf("%v", err)
	}
	reads.let <- nil
	if got := <-under; got != uint64(1) {
		t.Errorf("%v", got)
	}
	// The next may have begun, if the end of the first came before the stop was seen.
	for {
		select {
		case <-reads.begun:
			reads.let <- admin.ErrStopping
			continue
		case <-ended:
		}
		break
	}
	if got := <-next; got != admin.ErrStopping {
		t.Errorf("%v", got)
	}
}

func TestWhoStopsWaitingStopsNothing(t *testing.T) {
	r, reads := newReloads(), newReader()
	r.start(reads.read)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := r.wait(ctx)
		gone <- err
	}()
	<-reads.begun
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	reads.let <- nil
	<-r.stop()
}

// TestAStopDuringABuildChangesNothing: the stop ends the wait for servers, and then drains.
func TestAStopDuringABuildChangesNothing(t *testing.T) {
	r := newRig(t, oneOfEach)
	waits := make(chan struct{})
	r.process.find = func(ctx context.Context, _ topology.Config) (follower, error) {
		close(waits)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r.reloads.start(r.reload)
	r.file.write(t, oneOfEach+"  new: {servers: 'n:1'}\n")
	asked := waiting(r.reloads.ask())
	<-waits
	if err := r.stop(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if got := <-asked; got != admin.ErrStopping || len(r.plane.plans) != 0 {
		t.Errorf("%v, %d plans", got, len(r.plane.plans))
	}
}

// TestAStopWaitsForTheLoopsToGoByAPlan stops the process while the loops apply a plan.
func TestAStopWaitsForTheLoopsToGoByAPlan(t *testing.T) {
	r := newRig(t, oneOfEach)
	applying, applied, stopping := make(chan struct{}), make(chan struct{}), make(chan error)
	r.plane.apply = func(ctx context.Context) error {
		close(applying)
		<-applied
		return ctx.Err()
	}
	r.plane.shutdown = func(context.Context) error {
		if r.state.Load().generation != 2 {
			t.Error("the drain begins before the reload has ended")
		}
		return nil
	}
	r.reloads.start(r.reload)
	r.file.write(t, oneOfEach+"idle-timeout: 1s\ndrain-timeout: 1m\n")
	asked := waiting(r.reloads.ask())
	<-applying
	go func() { stopping <- r.stop(syscall.SIGTERM) }()
	for !r.stopping.Load() {
		runtime.Gosched()
	}
	close(applied)
	if err := <-stopping; err != nil {
		t.Error(err)
	}
	if got := <-asked; got != uint64(2) {
		t.Errorf("%v", got)
	}
}

// TestTheLastFileCounts writes files and asks as fast as it can. At the end the last file is in force.
func TestTheLastFileCounts(t *testing.T) {
	r := newRig(t, oneOfEach)
	r.reloads.start(r.reload)
	for i := range 50 {
		r.file.write(t, oneOfEach+"max-in-flight: "+string(rune('1'+i%9))+"\n")
		r.reloads.ask()
	}
	r.file.write(t, oneOfEach+"max-in-flight: 77\n")
	if _, err := r.reloads.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.state.Load().config.Listeners[0].MaxInFlight; got != 77 {
		t.Errorf("%d", got)
	}
	<-r.reloads.stop()
	plans := slices.Clone(r.plane.plans)
	if last := plans[len(plans)-1].Listeners[0].Session.MaxInFlight; last != 77 {
		t.Errorf("the last plan has %d", last)
	}
}
