"""The READ/WRITE engine: pure, but for the session, which asks for the time.

``backend``       the seam to the models: what the engine may ask of one
``steps``         what the engine asks of the world (requests), and what it reports (events)
``distribution``  a next-token distribution
``decoder``       the greedy continuation of one target prefix, kept as cheap as it can be
``segment``       the loop over one segment: policy decides, decoder continues, words are committed
``session``       runs one loop at a time, live
``lockstep``      runs many loops at once and batches what they ask of the model
``pool``          runs what is complete: batches of the questions of many sentences
``audio``         the source units of speech
"""
