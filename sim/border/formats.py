"""The formats in which a report can be asked for; others are refused before anything is simulated."""

FORMATS = ("html", "md", "pdf", "docx", "brief", "xlsx", "slide", "explorer")
