// Package auth says who may log in.
package auth
