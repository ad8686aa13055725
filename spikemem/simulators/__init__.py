"""One module a simulator; each has `run(net, drive, chosen, progress, ...)` and follows the step contract of `neurons`."""
