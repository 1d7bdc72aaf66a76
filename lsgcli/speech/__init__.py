"""Speech: from audio to committed words.

``sources``   recordings, pipes and the microphone
``chunks``    samples as they arrive, read in a thread, at real or simulated times
``detector``  voice activity detection
``feed``      what the pipeline reads from: utterances, cut into segments
``pipeline``  segments in, committed words out
``watch``     notices that speech goes in and no words come out
"""
