"""Speech: from sound to committed words.

``sources``   recordings, pipes and the microphone
``chunks``    samples as they come, in a thread of their own, at true or simulated times
``detector``  where there is speech
``feed``      all of it, pulled by the pipeline: utterances, cut into segments
``pipeline``  segments in, committed words out
``watch``     notices that speech goes in and no words come out
"""
