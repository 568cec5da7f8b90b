"""Money: set aside before a paid look goes out, settled when its result is recorded, never more than the cap."""
