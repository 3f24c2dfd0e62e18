package config

import (
	"strings"
)

// passwords are the settings that also have a NAME-file.
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
		ps.add(file.where, c.key(name+"-file"), "%s is also given (%s); want only one of them", c.keyHere(name), word.where)
	case inWord:
		*c.file(name) = ""
		c.noteEmpty(name, name, word)
	case inFile:
		*c.secret(name) = ""
		c.noteEmpty(name, name+"-file", file)
	}
}

// noteEmpty remembers whether the latest source of a password gives an empty one.
func (c *Config) noteEmpty(name, setting string, g given) {
	if c.empty == nil {
		c.empty = map[string]Problem{}
	}
	delete(c.empty, name)
	if last := g.values[len(g.values)-1]; last == "" {
		c.empty[name] = Problem{Where: g.where, Setting: setting}
	}
}

// refuseEmptyPasswords refuses passwords that were given as empty, as an unset variable leaves them, because without
// a password anyone could log in. A password at the top level does not count if every object replaces it. ownServers
// says that there is no login at the servers.
func (c *Config) refuseEmptyPasswords(ownServers bool, ps *Problems) {
	for _, name := range passwords {
		if p, empty := c.empty[name]; empty && (name == "password" || !ownServers) && !c.replaced(name) {
			ps.add(p.Where, c.key(p.Setting), "is given but empty, perhaps because a variable is not set; want a value, or leave it out for no password")
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

// readPasswords reads the password files in force. An object without a password file of its own gets the passwords of
// the top level.
func (c *Config) readPasswords(ps *Problems) {
	for _, name := range passwords {
		path := *c.file(name)
		if path == "" || !c.own(name+"-file") {
			continue
		}
		word, err := firstLine(path)
		switch {
		case err != nil:
			c.complain(ps, name+"-file", "%v", err)
		case word == "":
			c.complain(ps, name+"-file", "%s: the first line is empty; want the password there", path)
		}
		*c.secret(name) = Secret(word)
	}
}

// firstLine returns the first line of a file, without the line break.
func firstLine(path string) (string, error) {
	text, err := readAtMost(path, maxPasswordFile)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}
