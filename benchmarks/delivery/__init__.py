"""Telling measured on a running portal: what survives kills, how soon a change is told, how many a second."""
