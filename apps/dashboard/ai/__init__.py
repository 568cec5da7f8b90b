"""Pages about AI models: one model, several beside each other, and what rows and cards say of them."""
