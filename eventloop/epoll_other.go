//go:build !linux

package eventloop

import (
	"errors"

	"github.com/panjf2000/gnet/v2"
)

func findEpoll(int) (int, error) { return -1, errors.New("only Linux has epoll") }

func (l *loop) stopReading(gnet.Conn)  {}
func (l *loop) startReading(gnet.Conn) {}
