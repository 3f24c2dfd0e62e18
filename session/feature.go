package session

import (
	"ringmaster/command"
	"ringmaster/shard"
)

// Feature is what a part of the proxy that the core does not know, such as transactions or pub/sub, does when the core tells it that
// something happens. The core calls the functions of all features in the order of Loop.Features. A function that is nil has nothing to do.
//
//	NewEnv            Opened
//	Loop.Tick         LoopTick; then for each upstream Tick, before the core goes through its own lists
//	Env.Follow        Follow; then for each client with connections of its own, in the order of the clients' IDs, FollowPinned
//	a command refused Rejected
//	Session.CloseAs   Closing, when the passage is over and before input is dropped
//	Session.OnClose   Closed, when the passage is over and the connections of its own are given back, and before its rings and buffers are
//	a panic           Forget
type Feature struct {
	// Opened makes what the feature keeps for an upstream.
	Opened func(e *Env)
	// LoopTick and Tick look at what waits for a time, of a loop and of an upstream.
	LoopTick func(l *Loop)
	Tick     func(e *Env)
	// Follow takes over Env.Map, which has taken the place of old.
	Follow func(e *Env, old *shard.Map)
	// FollowPinned is Follow for a client with connections of its own; moved: keys are elsewhere. It is not called for a client that
	// has just been closed.
	FollowPinned func(s *Session, moved bool)
	// Rejected learns that a command was refused before it was carried out or queued. spec is nil for a command that does not exist.
	Rejected func(s *Session, spec *command.Spec)
	// Closing ends what must not keep a client that is to close, once it has what it is owed.
	Closing func(s *Session)
	// Closed lets go of what the feature keeps for a client that is gone. A panic there does not keep the other features from it.
	Closed func(s *Session)
	// Forget drops what a panic may have left half done.
	Forget func(l *Loop)
}

// features are those of a loop, in the order in which they are called.
type features []Feature

func (all features) opened(e *Env) {
	for i := range all {
		if f := all[i].Opened; f != nil {
			f(e)
		}
	}
}

func (all features) loopTick(l *Loop) {
	for i := range all {
		if f := all[i].LoopTick; f != nil {
			f(l)
		}
	}
}

func (all features) tick(e *Env) {
	for i := range all {
		if f := all[i].Tick; f != nil {
			f(e)
		}
	}
}

func (all features) follow(e *Env, old *shard.Map) {
	for i := range all {
		if f := all[i].Follow; f != nil {
			f(e, old)
		}
	}
}

func (all features) followPinned(s *Session, moved bool) {
	for i := range all {
		if f := all[i].FollowPinned; f != nil && s.Pin != nil {
			f(s, moved)
		}
	}
}

// Rejected tells the features that a command of s was refused before it was carried out or queued. The caller answers it; Session.Reject
// does both.
func (all features) Rejected(s *Session, spec *command.Spec) {
	for i := range all {
		if f := all[i].Rejected; f != nil {
			f(s, spec)
		}
	}
}

func (all features) closing(s *Session) {
	for i := range all {
		if f := all[i].Closing; f != nil {
			f(s)
		}
	}
}

func (all features) forget(l *Loop) {
	for i := range all {
		if f := all[i].Forget; f != nil {
			f(l)
		}
	}
}
