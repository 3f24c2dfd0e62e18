// Package prose breaks the lines of documents that are made from tables.
//
// # Purpose
//
// Each text in the tables of settings and metrics is one line. In a document, lines of more than about 100 characters
// are hard to read and to compare side by side.
//
// # Picture
//
//	a paragraph or list item in one or more lines ──▶ Wrap ──▶ the same words in lines of at most 100 characters
//
// # Who may call
//
// Any goroutine.
//
// # Ownership of bytes
//
// None are kept.
//
// # Limits and errors
//
// A word or code span that is longer than a line has a line of its own.
package prose
