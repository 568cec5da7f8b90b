"""Collecting the strings people see, and judging their translations, without GNU gettext.

`python -m tools.translation` brings locale/ up to date (see docs/translating.md).
"""
