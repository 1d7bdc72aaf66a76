"""Pure metrics of simultaneous translation: latency, quality, significance."""
