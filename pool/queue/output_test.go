package queue

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/valyala/bytebufferpool"
)

func TestOutputKeepsEveryByteInOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	o := Output{buffers: &Buffers{}}
	var want, got []byte
	drain := func(all bool) {
		for o.Size > 0 && (all || rnd.IntN(3) > 0) {
			b := o.Next()
			if len(b) == 0 || len(b) > maxWrite {
				t.Fatalf("next gives %d bytes of %d", len(b), o.Size)
			}
			b = b[:1+rnd.IntN(len(b))]
			got = append(got, b...)
			o.Advance(len(b))
		}
	}
	for range 100 {
		b := make([]byte, []int{1, 100, 10000, 70000, 300000}[rnd.IntN(5)])
		for i, salt := 0, rnd.Uint32(); i < len(b); i++ {
			b[i] = byte(uint32(i)*salt>>16 ^ salt)
		}
		want = append(want, b...)
		if rnd.IntN(2) == 0 {
			o.Write(b)
		} else {
			buf := bytebufferpool.Get()
			buf.Set(b)
			o.Take(buf)
		}
		drain(false)
		if o.Size != len(want)-len(got) {
			t.Fatalf("size is %d, want %d", o.Size, len(want)-len(got))
		}
	}
	drain(true)
	if !bytes.Equal(got, want) {
		t.Error("the bytes that came out are not those that went in")
	}
	if o.cur != nil || len(o.full) != 0 || o.off != 0 {
		t.Errorf("an empty output keeps something: %+v", o)
	}
}

func TestOutputChunksDoNotGrowBeyondOneRequestMore(t *testing.T) {
	o := Output{buffers: &Buffers{}}
	for range 1000 {
		o.Write(make([]byte, 1000))
	}
	for _, c := range append(o.full, o.cur) {
		if len(c.B) >= chunkSize+1000 {
			t.Errorf("a chunk holds %d bytes", len(c.B))
		}
	}
	o.Reset()
	if o.Size != 0 || o.cur != nil || o.full != nil {
		t.Errorf("after reset: %+v", o)
	}
}

func TestOutputIsWrittenFromSeveralChunksAtOnce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	o := Output{buffers: &Buffers{}}
	var want, got []byte
	most := 0
	for range 200 {
		for range rnd.IntN(8) {
			b := bytes.Repeat([]byte{byte(rnd.IntN(256))}, 1+rnd.IntN([]int{100, 20000, 400000}[rnd.IntN(3)]))
			want = append(want, b...)
			if rnd.IntN(3) > 0 {
				o.Write(b)
			} else {
				o.Take(&bytebufferpool.ByteBuffer{B: bytes.Clone(b)})
			}
		}
		for rounds := rnd.IntN(10); o.Size > 0 && rounds > 0; rounds-- {
			b := o.Next()
			runs, size := o.Runs([][]byte{b}, len(b))
			all := bytes.Join(runs, nil)
			if len(all) != size || len(runs) > 1 && size > maxGathered {
				t.Fatalf("%d runs with %d bytes, counted as %d", len(runs), len(all), size)
			}
			most = max(most, len(runs))
			n := size
			if rnd.IntN(3) == 0 {
				n = 1 + rnd.IntN(size)
			}
			got = append(got, all[:n]...)
			o.Advance(n)
			if err := o.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !bytes.Equal(got, want[:len(got)]) || len(got)+o.Size != len(want) || most < 3 {
		t.Errorf("%d and %d bytes of %d, from up to %d chunks", len(got), o.Size, len(want), most)
	}
}
