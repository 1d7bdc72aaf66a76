"""Batch evaluation: the logs of simultaneous systems, and their scores."""
