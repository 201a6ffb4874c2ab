"""Faces of the gateway: each parses a client's wire format into a call and renders the answer in it."""
