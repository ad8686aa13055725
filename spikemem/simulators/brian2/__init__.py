"""Brian2, the reference simulator: the network in its own equations, synapses and schedule."""
