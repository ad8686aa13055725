"""What is trained: codes, gates, SPMN."""
