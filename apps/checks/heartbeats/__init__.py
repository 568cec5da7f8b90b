"""Heartbeats: checks that are told instead of looking."""
