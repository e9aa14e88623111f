"""Parquet files: read by a process of its own, whose memory is bounded, so that no file can harm the portal's."""
