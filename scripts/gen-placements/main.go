// Command gen-placements asks the real nutcracker (twemproxy) where it puts 10,000 keys
// under every hash and distribution, and writes the answers down for package shard's
// tests. From the module's root:
//
//	go run ./scripts/gen-placements
//
// It needs nutcracker and redis-server, and the loopback ports 27100 to 27107 and 11211
// to be free. Two files come out, gzipped text:
//
//	shard/testdata/keys.txt.gz        one key per line, as a quoted Go string
//	shard/testdata/placements.txt.gz  pairs of lines: "DISTRIBUTION HASH TAG SERVERS",
//	                                  with - for no tag, and for each key the position of
//	                                  its server in SERVERS, one digit
//
// Keys and settings are the same in every run, so that a run with the same nutcracker changes nothing. It does not
// use package shard, because it must be independent of the code that it judges.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("out", "shard/testdata", "directory to write to")
	flag.Parse()
	if err := run(*dir); err != nil {
		log.Fatalf("gen-placements: %v", err)
	}
}

func run(dir string) error {
	version, err := exec.Command("nutcracker", "-V").CombinedOutput()
	if err != nil {
		return fmt.Errorf("nutcracker -V: %w: is nutcracker installed?", err)
	}
	b, err := newBench()
	if err != nil {
		return err
	}
	defer b.close()

	keys := makeKeys()
	var list, golden bytes.Buffer
	for _, k := range keys {
		list.WriteString(strconv.Quote(k) + "\n")
	}
	first, _, _ := strings.Cut(string(version), "\n")
	fmt.Fprintf(&golden, "# %s\n", first)
	for i, p := range pools() {
		placed, err := b.place(i, p, keys)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		fmt.Fprintf(&golden, "%s\n%s\n", p, placed)
	}
	if err := write(filepath.Join(dir, "keys.txt.gz"), list.Bytes()); err != nil {
		return err
	}
	return write(filepath.Join(dir, "placements.txt.gz"), golden.Bytes())
}

func write(name string, text []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	log.Printf("%s: %d bytes, %d unpacked", name, b.Len(), len(text))
	return os.WriteFile(name, b.Bytes(), 0o644)
}
