"""Routes: who hears of what. `tree` is the pure judgement; the rest stores, reads and explains it."""
