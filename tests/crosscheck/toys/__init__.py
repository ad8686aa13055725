"""A neuron, a plasticity rule and a simulator, each added from outside the package in one file."""
