"""The demo corpus: invented statements, cues and chains (`demo.json`)."""
