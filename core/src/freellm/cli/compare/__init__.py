"""`freellm compare`: one prompt, several models, their answers side by side."""
