"""The regions of the hippocampus: each builds its populations and says what it computes."""
