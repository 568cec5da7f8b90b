"""Real local servers with faults, for every test that needs something to look at. All of them listen on 127.0.0.1."""
