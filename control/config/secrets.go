package config

import (
	"strings"
)

// passwords are the settings that have a NAME-file beside them.
var passwords = []string{"password", "upstream-password", "sentinel-password"}

// maxPasswordFile bounds a password file in bytes.
const maxPasswordFile = 4096

// onePassword makes the later source win when one source gives the password and an earlier
// one a file with it, and refuses both in one source.
func (c *Config) onePassword(source map[string]given, name string, ps *Problems) {
	word, inWord := source[name]
	file, inFile := source[name+"-file"]
	switch {
	case inWord && inFile:
		ps.add(file.where, name+"-file", "%s is given too (%s); want only one of them", name, word.where)
	case inWord:
		*c.file(name) = ""
		c.note(name, name, word)
	case inFile:
		*c.secret(name) = ""
		c.note(name, name+"-file", file)
	}
}

// note remembers whether the latest source of a password has none.
func (c *Config) note(name, setting string, g given) {
	if c.empty == nil {
		c.empty = map[string]Problem{}
	}
	delete(c.empty, name)
	if last := g.values[len(g.values)-1]; last == "" {
		c.empty[name] = Problem{Where: g.where, Setting: setting}
	}
}

// refuseEmptyPasswords refuses passwords that were given and are empty, as an unset variable leaves them: without a password everybody
// would get in. ownServers: nobody logs in to servers.
func (c *Config) refuseEmptyPasswords(ownServers bool, ps *Problems) {
	for _, name := range passwords {
		if p, empty := c.empty[name]; empty && (name == "password" || !ownServers) {
			ps.add(p.Where, p.Setting, "is given and empty, as when a variable is not set; want a value, or leave it out for no password")
		}
	}
}

func (c *Config) secret(name string) *Secret {
	switch name {
	case "password":
		return &c.Password
	case "sentinel-password":
		return &c.SentinelPassword
	}
	return &c.UpstreamPassword
}

func (c *Config) file(name string) *string {
	switch name {
	case "password":
		return &c.passwordFile
	case "sentinel-password":
		return &c.sentinelPasswordFile
	}
	return &c.upstreamPasswordFile
}

// readPasswords reads the password files that are in force.
func (c *Config) readPasswords(ps *Problems) {
	for _, name := range passwords {
		path := *c.file(name)
		if path == "" {
			continue
		}
		word, err := firstLine(path)
		switch {
		case err != nil:
			ps.add(c.origin[name+"-file"], name+"-file", "%v", err)
		case word == "":
			ps.add(c.origin[name+"-file"], name+"-file", "%s: its first line is empty; want the password there", path)
		}
		*c.secret(name) = Secret(word)
	}
}

// firstLine is the first line of a file without its end.
func firstLine(path string) (string, error) {
	text, err := readAtMost(path, maxPasswordFile)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}
