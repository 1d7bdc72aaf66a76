"""What a complete line consists of: prose to translate, and what is copied.

``planner``    chooses, line by line, and keeps what a line needs to know of those before it
``headers``    headers of log lines, openings of list items and quotations, key="quoted text"
``programs``   what programs print: listings, diffs, stack frames, prompts, mail headers
``tables``     columns by blanks or tabs, CSV, rows with lines between their cells
``markup``     blocks of Markdown and HTML, subtitles
``fields``     named fields of JSON
"""
