package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"ringmaster/command"
)

// ask starts a server program, reads its command table and stops it.
func ask(ctx context.Context, program string) (s snapshot, err error) {
	dir, err := os.MkdirTemp("", "gen-commands-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	socket := dir + "/s"
	cmd := exec.CommandContext(ctx, program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return s, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := waitFor(ctx, socket); err != nil {
		return s, err
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, Protocol: 2})
	defer client.Close()
	if s.Server, s.Version, err = version(ctx, client); err != nil {
		return s, err
	}
	s.Commands, err = commands(ctx, client)
	return s, err
}

func waitFor(ctx context.Context, socket string) error {
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("server does not listen: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func version(ctx context.Context, client *redis.Client) (name, version string, err error) {
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return "", "", err
	}
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[k] = v
		}
	}
	if v := fields["valkey_version"]; v != "" {
		return "valkey", v, nil
	}
	return "redis", fields["redis_version"], nil
}

// commands asks COMMAND and adds group and version from COMMAND DOCS, sorted by name.
func commands(ctx context.Context, client *redis.Client) ([]command.Info, error) {
	reply, err := client.Do(ctx, "COMMAND").Result()
	if err != nil {
		return nil, err
	}
	infos, err := command.ParseInfo(reply)
	if err != nil {
		return nil, err
	}
	docs, err := client.Do(ctx, "COMMAND", "DOCS").Slice()
	if err != nil {
		return nil, err
	}
	about := map[string]doc{}
	readDocs(about, docs)
	for i := range infos {
		d := about[infos[i].Name]
		infos[i].Group, infos[i].Since = d.group, d.since
		slices.Sort(infos[i].Flags)
		slices.Sort(infos[i].Tips)
		slices.Sort(infos[i].ACL)
	}
	slices.SortFunc(infos, func(a, b command.Info) int { return compareNames(a.Name, b.Name) })
	return infos, nil
}

type doc struct{ group, since string }

// readDocs walks name, map, name, map, …; subcommands are a list of the same form inside.
func readDocs(about map[string]doc, flat []any) {
	for i := 0; i+1 < len(flat); i += 2 {
		var d doc
		fields, _ := flat[i+1].([]any)
		for j := 0; j+1 < len(fields); j += 2 {
			switch fields[j] {
			case "group":
				d.group, _ = fields[j+1].(string)
			case "since":
				d.since, _ = fields[j+1].(string)
			case "subcommands":
				subs, _ := fields[j+1].([]any)
				readDocs(about, subs)
			}
		}
		if name, ok := flat[i].(string); ok {
			about[strings.ToLower(name)] = d
		}
	}
}

// compareNames sorts subcommands directly after their container.
func compareNames(a, b string) int {
	return strings.Compare(strings.ReplaceAll(a, "|", "\x00"), strings.ReplaceAll(b, "|", "\x00"))
}
