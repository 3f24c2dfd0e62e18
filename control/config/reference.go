package config

import (
	"fmt"
	"strings"

	"ringmaster/internal/prose"
)

// Reference returns docs/configuration.md: every setting of the table.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, g := range Groups() {
		fmt.Fprintf(&b, "\n## %s\n", g)
		for _, s := range settings {
			if s.Group == g {
				s.describe(&b)
			}
		}
	}
	return prose.Wrap(b.String())
}

func (s *Setting) describe(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n", s.Name, s.Help)
	fmt.Fprintf(b, "- **Flag**: `--%s %s`", s.Name, s.Unit)
	if s.list {
		b.WriteString(", may be repeated")
	}
	if s.Env != "" {
		fmt.Fprintf(b, "; or the environment variable `%s`", s.Env)
	}
	fmt.Fprintf(b, "\n- **Place**: %s\n", s.places())
	if s.Default == "" {
		b.WriteString("- **Default**: not set\n")
	} else {
		fmt.Fprintf(b, "- **Default**: `%s`\n", s.Default)
	}
	if s.Words != nil {
		fmt.Fprintf(b, "- **Values**: `%s`\n", strings.Join(s.Words, "`, `"))
	}
	if s.Raise != "" {
		fmt.Fprintf(b, "- **Raising it**: %s\n- **Lowering it**: %s\n", s.Raise, s.Lower)
	}
	if s.Choose != "" {
		fmt.Fprintf(b, "- **Choosing**: %s\n", s.Choose)
	}
	fmt.Fprintf(b, "- **Change while running**: %s\n\n```yaml\n%s\n```\n", s.change(), s.Example)
}

// change says how a change in the file takes effect.
func (s *Setting) change() (text string) {
	switch s.Change {
	case Live:
		text = "yes, at once"
	case NewConnections:
		text = "yes, for new connections"
	default:
		return "no, restart"
	}
	if s.Except != "" {
		text += "; " + s.Except
	}
	return text
}

// places says where s may stand, and under which key.
func (s *Setting) places() string {
	text := "top level"
	for _, p := range []Place{InListener, InUpstream} {
		if s.Place&p == 0 {
			continue
		}
		text += "; in " + p.String()
		if key := s.nameIn(p); key != s.Name {
			text += " as `" + key + "`"
		}
	}
	return text
}

const referenceHead = `# Configuration

<!-- Made from the table of settings in control/config; do not edit. To make it again: scripts/gen-docs -->

Every setting is a flag, and also a key of the same name in the YAML file that ` + "`--config`" + ` names.
If a setting is given in several places, the first of these counts:

1. the flag,
2. the environment, for passwords only: ` + "`RINGMASTER_PASSWORD`, `RINGMASTER_UPSTREAM_PASSWORD`, `RINGMASTER_SENTINEL_PASSWORD`" + `,
3. the file,
4. the default.

A list (` + "`listen`, `upstream`" + `) replaces a list given further down; the two are not joined.
A password replaces a password file given further down, and a password file replaces a password given further down.

Unknown keys, keys given twice and values out of range are errors, with file and line. This command checks a file
without starting anything. If the file has mistakes, it prints each one to standard error and exits with 2. Otherwise it
exits with 0:

` + "```sh" + `
ringmaster check --config ringmaster.yaml
` + "```" + `

A whole file, with the settings of a typical first installation:

` + "```yaml" + `
listen:
  - 0.0.0.0:6380
password-file: /etc/ringmaster/password
upstream:
  - 10.0.0.1:6379:1@alpha
  - 10.0.0.2:6379:1@beta
  - 10.0.0.3:6379:2@gamma
upstream-password-file: /etc/ringmaster/upstream-password
hash-tag: '{}'
timeout: 2s
log-format: json
` + "```" + `

What values look like:

| | form | examples |
|---|---|---|
| size | digits and a unit as in redis.conf: k, m, g are powers of 1000; kb, mb, gb are powers of 1024; no unit means bytes | ` + "`512mb`, `64kb`, `1gb`" + ` |
| duration | digits and a unit: ms, s, m, h | ` + "`500ms`, `5s`, `1m30s`" + ` |
| bool | true or false (also yes, no, on, off); the flag without a value means true | ` + "`--pprof`, `--protected-mode=false`" + ` |
| addr | HOST:PORT, IPv6 in brackets; ` + "`listen`" + ` also takes unix:///PATH | ` + "`127.0.0.1:6380`, `[::1]:6380`" + ` |
| servers | HOST:PORT[:WEIGHT][@NAME], several separated by commas | ` + "`10.0.0.1:6379:2@alpha`" + ` |

**Change while running** says when a change in the file takes effect after ` + "`SIGHUP` or `POST /reload`" + ` has reloaded the file ([Reloading](reloading.md)):

- *yes, at once*: for all clients and connections, including existing ones;
- *yes, for new connections*: existing connections keep the old value until they end;
- *no, restart*: the old value stays in force until ringmaster is restarted, and the log names the setting.

ringmaster exits with 0 after a clean stop, with 1 if it could not start or run, and with 2 if its settings are wrong.

## Listeners and upstreams

A listener is an address that clients connect to. An upstream is a group of servers. A file can list several of both, each with its own settings:

` + "```yaml" + `
# /etc/ringmaster/several.yaml
timeout: 2s                            # for every upstream that sets no other
password-file: /etc/ringmaster/password
listeners:
  - address: 0.0.0.0:6380
    name: public                       # used in messages; default: the address
    upstream: cache
    deny-commands: [keys, flushall]
  - address: unix:///run/ringmaster/redis.sock
    upstream: main
    admin-commands: allow
upstreams:
  cache:
    servers: [10.0.0.1:6379:1@alpha, 10.0.0.2:6379:1@beta]
    hash-tag: '{}'
  main:
    topology: cluster
    servers: [10.1.0.1:6379, 10.1.0.2:6379]
    username: app
    password-file: /etc/ringmaster/main-password
    timeout: 500ms
` + "```" + `

- A setting at the top level is the default for every listener or upstream. The same setting inside a listener or an upstream
  replaces it there. Flags and the environment override the top level only. **Place** says where each setting may stand.
- In an upstream the names have no ` + "`upstream-`" + ` in front, and ` + "`upstream`" + ` is called ` + "`servers`" + `. In a listener ` + "`listen`" + ` is called ` + "`address`" + `.
- ` + "`upstream`" + ` in a listener names the upstream that gets its commands. It can be left out if there is only one upstream, or one called ` + "`default`" + `.
- Without ` + "`listeners`" + ` each address of ` + "`listen`" + ` is a listener. Without ` + "`upstreams`" + ` the settings at the top level describe one upstream called ` + "`default`" + `.
  ` + "`listen` together with `listeners`, and `upstream` together with `upstreams`" + `, are errors.
- A default that does not fit an upstream is ignored there, such as ` + "`hash-tag`" + ` for a cluster and ` + "`sentinel-masters`" + ` for plain servers.
- A file may have up to 256 listeners and 64 upstreams. The name of an upstream has 1 to 64 letters, digits, dots, dashes and underscores.

This command prints the settings in force as one file with listeners and upstreams, and says for each setting where it came from. Secrets are hidden:

` + "```sh" + `
ringmaster check --config ringmaster.yaml --print
` + "```" + `
`
