"""HTML pages: the report, the transcript, the label review."""
