"""From files, pipes and microphones to 16 kHz mono samples, incrementally.

``chunks``      samples as they come, in a thread of their own, at true or simulated times
``files``       a path or a descriptor, opened, and what to call it in messages
``decode``      a source: whatever FFmpeg decodes
``raw``         a source: PCM without a header
``wav``         plain PCM in WAV, for ``decode``
``microphone``  a source: what PortAudio captures
``convert``     any rate, layout and sample format -> 16 kHz mono

``vad``         where there is speech
``segments``    the source units of speech
``feed``        all of it, pulled by the recognition loop: utterances, cut into segments

A source is an iterable of float32 arrays, to be run by an ``AudioReader``.
"""
