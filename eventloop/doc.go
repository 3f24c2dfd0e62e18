// Package eventloop is the only package that knows gnet: sockets, the turn,
// flushing, timers, dialling.
package eventloop
