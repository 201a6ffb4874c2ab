"""How hypothesis is run here: by its findings, never by the time that a busy machine takes for an example.

It draws the same examples each time, so that what fails is the change's own doing. Others are looked for with
`uv run pytest --hypothesis-profile searching`; what is found is mended, and pinned with `@example`.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("searching", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")
