"""Models of counts on the command line: from texts, and from one file of counts."""
