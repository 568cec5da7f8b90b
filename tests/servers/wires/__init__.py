"""How each family of providers puts an answer on the wire. Written from their public documentation, for tests only."""
