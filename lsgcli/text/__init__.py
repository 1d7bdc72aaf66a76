"""From bytes to segments, incrementally.

``chunks``     bytes as they come, in a thread of their own
``recording``  chunks kept in a file, to run a live stream again
``words``      bytes -> words with the blanks before them
``protect``    which words are not prose and pass unchanged
``segmenter``  words -> segments of prose, passages to copy, line ends
``feed``       all of it, pulled by the translation loop
"""
