package session

import (
	"ringmaster/command"
	"ringmaster/shard"
)

// NewRules compiles cfg; reads says which servers answer commands that only read. Any goroutine.
func NewRules(cfg Config, reads shard.ReadPolicy) *Rules {
	if cfg.Cluster.Enabled {
		return newRules(cfg, reads, localHandlers, clusterHandlers)
	}
	return newRules(cfg, reads, localHandlers)
}

// localHandlers are the commands that the proxy answers itself, by command.Spec.ID.
var localHandlers = map[uint16]handler{
	command.IDPing:          (*Session).ping,
	command.IDEcho:          (*Session).echo,
	command.IDQuit:          (*Session).quit,
	command.IDAuth:          (*Session).auth,
	command.IDHello:         (*Session).hello,
	command.IDSelect:        (*Session).selectDB,
	command.IDReset:         (*Session).reset,
	command.IDClientId:      (*Session).clientID,
	command.IDClientGetname: (*Session).clientGetName,
	command.IDClientSetname: (*Session).clientSetName,
	command.IDClientSetinfo: (*Session).clientSetInfo,
	command.IDClientInfo:    (*Session).clientInfo,
	command.IDClientCapa:    (*Session).clientCapa,
	command.IDClientList:    (*Session).clientList,
	command.IDClientKill:    (*Session).clientKill,
	command.IDClientUnblock: (*Session).clientUnblock,
	command.IDClientReply:   (*Session).clientReply,
	command.IDAclWhoami:     (*Session).aclWhoAmI,
	command.IDReadonly:      (*Session).nodeState,
	command.IDReadwrite:     (*Session).nodeState,
	command.IDAsking:        (*Session).nodeState,
}
