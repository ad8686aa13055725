"""Texts and tasks: the corpora that ship with spikemem, and readers of public data sets."""
