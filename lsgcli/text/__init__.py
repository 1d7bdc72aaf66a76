"""Text: from bytes to committed words.

``chunks``     bytes as they come, in a thread of their own
``recording``  chunks kept in a file, to run a live stream again
``encoding``   what is not UTF-8 is made UTF-8
``words``      bytes -> words with the whitespace before them
``items``      what is no prose and comes out byte for byte: the table of its kinds
``protect``    which words pass unchanged
``segmenter``  words -> segments of prose, passages to copy, line ends
``language``   which language a line is in
``structure``  what a complete line is, and what of it is prose
``line``       a complete line: its sentences, and their translation as a whole
``memory``     texts whose translation is known
``feed``       the input, pulled by the pipeline
``pipeline``   pieces of input in, committed output out
"""
