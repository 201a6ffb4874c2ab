"""`freellm quota` and `freellm top`: what is left of every pool, until when, and what is going on."""
