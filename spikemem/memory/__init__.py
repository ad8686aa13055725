"""Text memory: sentences in, sentences out, in one durable file."""
