"""The READ/WRITE engine: pure, without I/O, clocks or models.

``steps``         what the engine asks of the world, and what it reports
``distribution``  a next-token distribution
``decoder``       the greedy continuation of one target prefix, kept as cheap as it can be
``segment``       the loop over one segment: policy decides, decoder continues, words are committed
``lockstep``      runs many such loops at once and batches what they ask of the model
"""
