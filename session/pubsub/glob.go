package pubsub

// Match reports whether name matches pattern by the rules of Redis 7.0 (util.c, stringmatchlen): '*', '?',
// '[abc]', '[^a]', '[a-z]', and '\' before a character that stands for itself.
func Match(pattern, name string) bool {
	var hopeless bool
	return globFrom(pattern, name, &hopeless)
}

// globFrom is Match for the rest of pattern and name. It sets hopeless when the pattern after a '*' matches nowhere in
// the rest of name. Then no earlier '*' needs to be tried with more characters, which would take time exponential in
// the number of '*'.
func globFrom(pattern, name string, hopeless *bool) bool {
	for len(pattern) > 0 && len(name) > 0 {
		switch pattern[0] {
		case '*':
			for len(pattern) > 1 && pattern[1] == '*' {
				pattern = pattern[1:]
			}
			if len(pattern) == 1 {
				return true
			}
			for ; len(name) > 0; name = name[1:] {
				if globFrom(pattern[1:], name, hopeless) {
					return true
				}
				if *hopeless {
					return false
				}
			}
			*hopeless = true
			return false
		case '?':
			name = name[1:]
		case '[':
			var ok bool
			if pattern, ok = class(pattern[1:], name[0]); !ok {
				return false
			}
			name = name[1:]
		case '\\':
			if len(pattern) >= 2 {
				pattern = pattern[1:]
			}
			fallthrough
		default:
			if pattern[0] != name[0] {
				return false
			}
			name = name[1:]
		}
		pattern = pattern[1:]
		if len(name) == 0 {
			for len(pattern) > 0 && pattern[0] == '*' {
				pattern = pattern[1:]
			}
			break
		}
	}
	return len(pattern) == 0 && len(name) == 0
}

// class matches c against a class, of which p is the text after '['. rest begins with the ']' that ends the class, or
// is "]" where the class has no end.
func class(p string, c byte) (rest string, ok bool) {
	not := len(p) > 0 && p[0] == '^'
	if not {
		p = p[1:]
	}
	match := false
	for {
		switch {
		case len(p) >= 2 && p[0] == '\\':
			p = p[1:]
			match = match || p[0] == c
		case len(p) > 0 && p[0] == ']':
			return p, match != not
		case len(p) == 0:
			return "]", match != not
		case len(p) >= 3 && p[1] == '-':
			low, high := min(p[0], p[2]), max(p[0], p[2])
			match = match || (c >= low && c <= high)
			p = p[2:]
		default:
			match = match || p[0] == c
		}
		p = p[1:]
	}
}
