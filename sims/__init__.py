"""One runnable script for each simulation protocol; each prints its table and writes a result file."""
