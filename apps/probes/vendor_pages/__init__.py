"""Vendors' status pages: one file a format, each a pure reader from an answer to a `PageReading`."""
