"""`freellm plugins`: what is installed and what is wrong with it; examining a provider; beginning one."""
