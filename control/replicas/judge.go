package replicas

import (
	"time"

	"ringmaster/pool"
)

// primary is what is known about a primary's writes.
type primary struct {
	history string   // the stream in which they are counted; "": unknown
	samples []sample // the oldest first
	heard   time.Time
	silent  bool
}

// sample is the least offset that a primary had when it was asked.
type sample struct {
	at     time.Time
	offset int64
}

// record takes a primary's answer to a question asked at the time at. It drops samples older than keep, except the
// latest of these.
func (p *primary) record(in info, at time.Time, keep time.Duration) {
	if p.history != in.history {
		p.history, p.samples = in.history, nil
	}
	p.silent, p.heard = false, at
	old := 0
	for old < len(p.samples) && at.Sub(p.samples[old].at) > keep {
		old++
	}
	p.samples = append(p.samples[max(old-1, 0):], sample{at, in.offset})
}

// markSilent records that the primary did not answer.
func (p *primary) markSilent() { p.silent = true }

// offset returns the primary's offset in its last answer.
func (p *primary) offset() int64 {
	if len(p.samples) == 0 {
		return 0
	}
	return p.samples[len(p.samples)-1].offset
}

// lag returns by how much a server at offset lags behind the primary's last answer; false: by more than the samples
// cover.
func (p *primary) lag(offset int64) (lag time.Duration, ok bool) {
	for i := len(p.samples) - 1; i >= 0; i-- {
		if p.samples[i].offset <= offset {
			return p.heard.Sub(p.samples[i].at), true
		}
	}
	return 0, false
}

// verdict says whether a replica may be read from, and why not.
type verdict struct {
	reads  pool.Reads
	why    string // empty: it may be read from
	failed bool   // it did not answer
	lag    time.Duration
	bytes  int64 // that it lacks
}

// isFit reports whether a replica may be read from, now or while its primary is down.
func (v verdict) isFit() bool { return v.reads != pool.ReadsNever }

// like reports whether v and o are the same to operators. Two failures are, because the texts of network errors
// contain changing ports.
func (v verdict) like(o verdict) bool {
	return v.reads == o.reads && (v.why == o.why || v.failed && o.failed)
}

// judge decides on a replica by its answer. fit says that it was fit until now and has not restarted since. A maxLag
// of 0 means no bound.
func (p *primary) judge(in info, fit bool, maxLag time.Duration) verdict {
	if p.history == "" {
		return verdict{why: "nothing is known about its primary"}
	}
	same := in.history == p.history
	if p.silent {
		same = same || in.before == p.history // it was promoted
	}
	if !same {
		return verdict{why: "it does not follow this primary"}
	}
	if in.syncing || in.replica && !in.linked && in.offset <= 1 && !fit {
		return verdict{why: "it does not have its primary's data yet"}
	}
	v := verdict{bytes: max(p.offset()-in.offset, 0)}
	var known bool
	v.lag, known = p.lag(in.offset)
	recent := maxLag == 0 || known && v.lag <= maxLag
	switch {
	case recent && (p.silent || in.replica && in.linked):
		v.reads = pool.ReadsAlways
	case !in.replica:
		v.why = "it is a primary itself"
	case !in.linked && recent:
		v.reads, v.why = pool.ReadsAlone, "its link to the primary is down"
	case !in.linked:
		v.why = "its link to the primary is down"
	default:
		v.why = "it lags too far behind its primary"
	}
	return v
}
