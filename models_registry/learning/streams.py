"""Streams to learn from."""
def list_streams(): return []
