"""Text: from bytes to committed words.

``chunks``     bytes as they arrive, read in a thread
``recording``  chunks kept in a file, to run a live stream again
``encoding``   other encodings to UTF-8
``words``      bytes -> words with the whitespace before them
``items``      protected items: the table of their kinds
``protect``    which words of an arriving line are copied
``segmenter``  words -> segments of prose, passages to copy, line ends
``language``   which language a line is in
``structure``  what a complete line is, and what of it is prose
``line``       a complete line: its sentences, and their translation as a whole
``memory``     the translation memory
``feed``       the input, pulled by the pipeline
``pipeline``   pieces of input in, committed output out
"""
