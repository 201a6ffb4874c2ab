"""`freellm stress`: many requests at a running proxy, and what came of them."""
