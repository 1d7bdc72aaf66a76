"""A complete line: its sentences, what in them is copied, and their translation as a whole."""
