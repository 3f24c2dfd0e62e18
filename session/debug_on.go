//go:build proxydebug

package session

// panicsEnd: a panic ends the process after all.
const panicsEnd = true

// Small replies are lent too, so that every story and every random world sees it.
const lendFrom, aloneFrom = 64, 512
