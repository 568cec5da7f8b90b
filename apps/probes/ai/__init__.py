"""Looking at AI models: what is asked, how an answer is read whatever the dialect, and whose fault a bad one is."""
