"""What a complete line consists of: prose to translate, and what is copied.

``planner``    classifies lines, with the state that they need of those before
``headers``    headers of log lines, openings of list items and quotations, key="quoted text"
``programs``   what programs print: listings, diffs, stack frames, prompts, mail headers
``tables``     columns by spaces or tabs, CSV, rows with lines between their cells
``markup``     blocks of Markdown and HTML, subtitles
``fields``     named fields of JSON
"""
