"""Committed output, and nothing else, on standard output.

``descriptor``  a file descriptor that takes text whole
``base``        what the pipelines ask of a writer
``text``        plain text, with the hypothesis dimmed on a terminal
``jsonl``       an object for every event
``subtitles``   SubRip, WebVTT, tab-separated values: lines with times
"""
