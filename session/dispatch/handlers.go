package dispatch

import (
	"ringmaster/command"
	"ringmaster/session"
	"ringmaster/session/clients"
	"ringmaster/session/facade"
	"ringmaster/session/tracking"
	"ringmaster/shard"
)

// NewRules compiles the rules of a configuration. reads says which servers answer commands that only read. Any goroutine.
func NewRules(cfg session.Config, reads shard.ReadPolicy) *session.Rules {
	if cfg.Cluster.Enabled {
		return session.NewRules(cfg, reads, localHandlers, facade.Handlers)
	}
	return session.NewRules(cfg, reads, localHandlers)
}

// localHandlers are the handlers of the commands that the proxy answers, by command.Spec.ID. Each command is ClassLocal in command/decisions.go.
// In a transaction they run after EXEC has run. A command with TraitStateless is answered by the server there.
var localHandlers = map[uint16]session.Handler{
	command.IDPing:          ping,
	command.IDEcho:          echo,
	command.IDQuit:          tracking.Quit,
	command.IDAuth:          auth,
	command.IDHello:         hello,
	command.IDSelect:        selectDB,
	command.IDReset:         reset,
	command.IDClientId:      clientID,
	command.IDClientGetname: clientGetName,
	command.IDClientSetname: clientSetName,
	command.IDClientSetinfo: clientSetInfo,
	command.IDClientInfo:    clients.Info,
	command.IDClientCapa:    clientCapa,
	command.IDClientList:    clients.List,
	command.IDClientKill:    clients.Kill,
	command.IDClientUnblock: clients.Unblock,
	command.IDClientReply:   clients.SetReplyMode,
	command.IDAclWhoami:     clients.WhoAmI,
	command.IDReadonly:      facade.NodeState,
	command.IDReadwrite:     facade.NodeState,
	command.IDAsking:        facade.NodeState,
}
