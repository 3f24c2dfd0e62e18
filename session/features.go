package session

// features are the parts that the core calls, in the order in which it calls them.
func features() []Feature {
	return []Feature{
		{Tick: (*Env).tellBusy},
		{LoopTick: (*Loop).openGates},
		{Tick: (*Env).expireQuestions},
	}
}
