"""freellm against a bare aiohttp JSON proxy, in one interleaved run: figures and ratios, never a timed test."""
