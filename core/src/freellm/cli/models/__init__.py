"""`freellm models` and what it shares with `freellm fallback`."""
