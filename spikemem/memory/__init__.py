"""Text memory: stores and recalls sentences, in one durable file."""
