"""The checks, by what they are about. A check takes a `Subject`; its docstring is what the contract says."""
