"""`python -m freellm` is `freellm`."""

from freellm.cli import main

if __name__ == "__main__":
    main()
