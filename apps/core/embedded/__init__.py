"""The launcher: embedded PostgreSQL and Valkey, and the processes of the portal, without any framework.

Nothing in this package imports Django, so that a command which only starts servers costs milliseconds.
"""
