"""Audio sources: 16 kHz mono samples, incrementally.

``files``       a path or a descriptor, opened, and what to call it in messages
``decode``      whatever FFmpeg decodes
``raw``         PCM without a header
``wav``         plain PCM in WAV, for ``decode``
``microphone``  what PortAudio captures
``resample``    any rate, layout and sample format -> 16 kHz mono

A source is an iterable of float32 arrays, to be run by an ``AudioReader``.
"""
