"""Prices: what a million tokens cost, from which day on, and at whom."""
