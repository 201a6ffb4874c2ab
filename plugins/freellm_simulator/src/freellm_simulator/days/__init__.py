"""Whole days of traffic in minutes: freellm's own gateway against the simulated services, on a clock that jumps."""
