package prose

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// width is how many characters a line may have.
const width = 100

var (
	// item matches the beginning of a list item.
	item = regexp.MustCompile(`^(-|\d+\.) `)
	// pieces matches words. Blanks inside a code span are a part of the word.
	pieces = regexp.MustCompile("(?:`[^`]*`|[^\\s`])+")
	// opens matches a word that would be markup at the start of a line.
	opens = regexp.MustCompile(`^([-+*>|]|#+|\d+[.)])$`)
)

// Wrap breaks the paragraphs and list items of a Markdown text into lines of at most 100 characters. Headings, tables, comments and
// code stay as they are.
func Wrap(markdown string) string {
	var out, paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			out = append(out, fill(strings.Join(paragraph, " "))...)
			paragraph = nil
		}
	}
	code := false
	for line := range strings.SplitSeq(markdown, "\n") {
		fence := strings.HasPrefix(line, "```")
		switch {
		case code || fence || line == "" || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "<!--"):
			flush()
			out = append(out, line)
			code = code != fence
		case item.MatchString(line):
			flush()
			paragraph = []string{line}
		default:
			paragraph = append(paragraph, strings.TrimSpace(line))
		}
	}
	flush()
	return strings.Join(out, "\n")
}

// fill breaks one paragraph or list item into lines.
func fill(text string) (lines []string) {
	indent := strings.Repeat(" ", len(item.FindString(text)))
	line := ""
	for _, word := range pieces.FindAllString(text, -1) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width && !opens.MatchString(word):
			lines = append(lines, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
