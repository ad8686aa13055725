"""A fuzzer of all that reads a file or a graph: altered seeds and crafted ones, with right checksums, too."""
