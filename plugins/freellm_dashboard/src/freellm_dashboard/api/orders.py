"""The order in which `auto` tries models, and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import ValidationError

from freellm.administration import order, profiles
from freellm.profiles import Profile
from freellm_dashboard.answers import RefusedError, answer
from freellm_dashboard.api.desk import Desk, body
from freellm_dashboard.api.models import Availability
from freellm_dashboard.shapes.models import (
    Fallback,
    FallbackEntry,
    FallbackOrder,
    FallbackSort,
    ProfileBody,
    ProfileRow,
    Profiles,
)

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder


class FallbackDesk:
    """Handlers of `/api/fallback`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._proxy = desk.proxy

    async def every(self, request: web.Request) -> web.Response:
        """List the models in the order they are tried."""
        return answer(await self._listed())

    async def arrange(self, request: web.Request) -> web.Response:
        """Put the models in an order."""
        wanted = await body(request, FallbackOrder)
        await self._desk.change(order.arrange, wanted.order, field="order")
        return answer(await self._listed())

    async def sort(self, request: web.Request) -> web.Response:
        """Order by a rule."""
        wanted = await body(request, FallbackSort)
        await self._desk.change(order.sort, wanted.by, field="by")
        return answer(await self._listed())

    async def _listed(self) -> Fallback:
        proxy, availability = self._proxy, await Availability.of(self._proxy)
        tried = [entry for entry in proxy.catalogue.chain if not entry.model.classifier]
        standing = {entry.name: availability.why(entry.name) for entry in tried}
        rows = [
            FallbackEntry(
                place=place,
                name=entry.name,
                provider=entry.provider.name,
                model=entry.model.id,
                title=entry.model.title,
                by_hand=entry.choice.position is not None,
                intelligence_rank=entry.model.intelligence_rank,
                speed_rank=entry.model.speed_rank,
                available=entry.name in availability.open,
                unavailable_because=standing[entry.name][0],
                opens_at=standing[entry.name][1],
            )
            for place, entry in enumerate(tried, 1)
        ]
        return Fallback(order=rows, strategy=proxy.settings.strategy, strategies=sorted(proxy.strategies))


class ProfileDesk:
    """Handlers of `/api/profiles`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def every(self, request: web.Request) -> web.Response:
        """List the profiles."""
        return answer(await self._listed())

    async def show(self, request: web.Request) -> web.Response:
        """Show a profile."""
        return answer(await self._named(request.match_info["name"]))

    async def make(self, request: web.Request) -> web.Response:
        """Make a profile."""
        name, wanted = request.match_info["name"], await body(request, ProfileBody)
        profile, known = _profile(wanted), list(self._desk.proxy.strategies)
        try:
            await self._desk.change(profiles.make_profile, name, profile, known, field="name")
        except RefusedError as refused:
            raise _with_field(refused, name) from None
        return answer(await self._named(name))

    async def remove(self, request: web.Request) -> web.Response:
        """Delete a profile."""
        await self._desk.change(profiles.remove_profile, request.match_info["name"], field="name")
        return answer(await self._listed())

    async def _listed(self) -> Profiles:
        return Profiles(profiles=await self._desk.work(_rows), strategies=sorted(self._desk.proxy.strategies))

    async def _named(self, name: str) -> ProfileRow:
        found = next((row for row in await self._desk.work(_rows) if row.name == name), None)
        if found is None:
            raise RefusedError(
                f"there is no profile {name!r}", status=404, field="name", cure="GET /api/profiles lists them"
            )
        return found


def _with_field(refused: RefusedError, name: str) -> RefusedError:
    """Return a refusal that names the field which the text begins with, such as `profiles.NAME.strategy: …`."""
    place = f"profiles.{name}"
    path, _, message = refused.problem.message.partition(": ")
    if path.startswith(place):
        return RefusedError(message, field=path.removeprefix(place).lstrip(".") or "name")
    field = "models" if path.startswith("there is no model") else "name"
    return RefusedError(refused.problem.message, field=field)


def _profile(wanted: ProfileBody) -> Profile:
    fields = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    try:
        profile = Profile.model_validate(fields)
    except ValidationError as error:
        detail = error.errors()[0]
        field = str(detail["loc"][0]) if detail["loc"] else "models"
        raise RefusedError(detail["msg"].removeprefix("Value error, "), field=field) from None
    if profile == Profile():
        raise RefusedError(
            "a profile that leaves everything open is no profile",
            field="models",
            cure="say who may answer: models, strategy, only, ignore, abilities or data_collection",
        )
    return profile


def _rows(folder: DataFolder) -> list[ProfileRow]:
    return [
        ProfileRow(
            name=name,
            source="config.toml" if filed else "database",
            models=list(profile.models),
            strategy=profile.strategy,
            only=list(profile.only),
            ignore=list(profile.ignore),
            abilities=list(profile.abilities),
            data_collection=profile.data_collection,
        )
        for name, (profile, filed) in profiles.all_profiles(folder).items()
    ]
