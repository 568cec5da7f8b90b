"""Answering from the message: signed links that acknowledge or silence, and the pages behind them."""
