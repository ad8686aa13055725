"""The hippocampus: regions wired into one circuit, what it recalls, and its rate twin."""
