"""Models as files: what they are, where they are, how they are got and made usable."""
