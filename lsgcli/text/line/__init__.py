"""A complete line: its sentences, what is copied in them, and their translation as a whole."""
