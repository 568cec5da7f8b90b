"""Settings → Budgets and Prices: what looking may cost, and what tokens cost."""
