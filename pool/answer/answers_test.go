package answer

import "testing"

func TestElsewhere(t *testing.T) {
	for reply, want := range map[string]bool{
		"-MOVED 1 a:1\r\n":      true,
		"-ASK 1 a:1\r\n":        true,
		"-TRYAGAIN x\r\n":       true,
		"-CLUSTERDOWN x\r\n":    true,
		"-LOADING x\r\n":        true,
		"-MASTERDOWN x\r\n":     true,
		"-READONLY x\r\n":       true,
		"-MOVED ":               false,
		"-MOVEDx 1 a:1\r\n":     false,
		"-ERR x\r\n":            false,
		"+MOVED 1 a:1\r\n":      false,
		"-READONLY x script: y": false,
	} {
		if got := Elsewhere([]byte(reply)); got != want {
			t.Errorf("%q: %t", reply, got)
		}
	}
}

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		reply, addr string
		slot        int
	}{
		{"-MOVED 3999 10.0.0.1:7000\r\n", "10.0.0.1:7000", 3999},
		{"-ASK 0 :7001\r\n", ":7001", 0},
		{"-MOVED 16383 ::1:7000\r\n", "::1:7000", 16383},
		{"-MOVED 16384 a:1\r\n", "a:1", -1},
		{"-MOVED -1 a:1\r\n", "a:1", -1},
		{"-MOVED\r\n", "", -1},
	} {
		if slot, addr := Named([]byte(c.reply)); slot != c.slot || string(addr) != c.addr {
			t.Errorf("%q: %d %q", c.reply, slot, addr)
		}
	}
}

func TestHelloTellsVersionAndID(t *testing.T) {
	hello := []byte("*6\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$2\r\nid\r\n:42\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n")
	if v, id := VersionIn(hello), IDIn(hello); string(v) != "7.0.15" || id != 42 {
		t.Errorf("%q %d", v, id)
	}
	for _, hello := range []string{"", "+OK\r\n", "$7\r\nversion\r\n$99\r\n7.0", "$2\r\nid\r\n:x\r\n"} {
		if v, id := VersionIn([]byte(hello)), IDIn([]byte(hello)); v != nil || id != 0 {
			t.Errorf("%q: %q %d", hello, v, id)
		}
	}
}

func TestAWitnessConfirmsOnlyTheSameRefusal(t *testing.T) {
	for _, c := range []struct {
		witness, reply string
		want           bool
	}{
		{"*5\r\n$5\r\nslave\r\n", "-READONLY You can't write\r\n", true},
		{"*3\r\n$6\r\nmaster\r\n", "-READONLY You can't write\r\n", false},
		{"-LOADING x\r\n", "-LOADING y\r\n", true},
		{"-MASTERDOWN x\r\n", "-LOADING y\r\n", false},
		{":1\r\n", "-LOADING y\r\n", false},
		{"-ASK 1 b:1\r\n", "-MOVED 1 a:1\r\n", true},
		{"-TRYAGAIN x\r\n", "-MOVED 1 a:1\r\n", true},
		{":1\r\n", "-MOVED 1 a:1\r\n", false},
	} {
		if got := Confirms([]byte(c.witness), []byte(c.reply)); got != c.want {
			t.Errorf("%q for %q: %t", c.witness, c.reply, got)
		}
	}
}

func TestWhatPasses(t *testing.T) {
	for reply, want := range map[string][4]bool{ // Passing, Denied, OutOfMemory, RefusesWrites
		"-BUSY x\r\n":                  {true},
		"-LOADING x\r\n":               {true},
		"-MASTERDOWN x\r\n":            {true, false, false, true},
		"-NOPERM x\r\n":                {false, true},
		"-ERR unknown command 'x'\r\n": {false, true},
		"-OOM x\r\n":                   {false, false, true},
		"-READONLY x\r\n":              {false, false, false, true},
		"+OK\r\n":                      {},
	} {
		b := []byte(reply)
		if got := [4]bool{Passing(b), Denied(b), OutOfMemory(b), RefusesWrites(b)}; got != want {
			t.Errorf("%q: %v", reply, got)
		}
	}
}
