"""Training of spiking layers: the layers, the loop, checkpoints, and what watches over them."""
