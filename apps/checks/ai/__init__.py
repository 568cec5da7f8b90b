"""What is known of AI models from the looks at them: now, over hours and months, and beside each other."""
