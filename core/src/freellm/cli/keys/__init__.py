"""`freellm keys`: the provider keys."""
