"""Every built-in command: where it is, and what `--help` says of it without importing it."""

from __future__ import annotations

from typing import Final

from freellm.cli.lazy import Here, Rows

COMMANDS: Final[Rows] = {
    "serve": Here("freellm.cli.serve:serve", "Run the proxy until it is stopped."),
    "apikey": Here(
        {
            "show": Here("freellm.cli.apikey:show", "Print the unified key, which clients send."),
            "rotate": Here(
                "freellm.cli.apikey:rotate", "Replace the unified key; the old one opens nothing."
            ),
        },
        "The unified key: the one your clients send.",
    ),
    "keys": Here(
        {
            "add": Here("freellm.cli.keys.adding:add", "Check a provider key and store it."),
            "list": Here(
                "freellm.cli.keys.listing:list_", "List the provider keys, the environment's included."
            ),
            "check": Here("freellm.cli.keys.checking:check", "Ask the providers whether the keys are valid."),
            "edit": Here("freellm.cli.keys.editing:edit", "Change a stored key's label or use."),
            "remove": Here(
                "freellm.cli.keys.removing:remove", "Delete a stored key, or a server of your own."
            ),
            "import": Here("freellm.cli.keys.importing:import_", "Take the provider keys of a .env file."),
        },
        "The providers' keys, encrypted at rest.",
    ),
    "models": Here(
        {
            "list": Here("freellm.cli.models.listing:list_", "List the models with their limits and state."),
            "sync": Here(
                "freellm.cli.models.syncing:sync", "Compare the models with the providers' own lists."
            ),
            "enable": Here("freellm.cli.models.switching:enable", "Switch a model on."),
            "disable": Here("freellm.cli.models.switching:disable", "Switch a model off."),
            "sign": Here("freellm.cli.models.signing:sign", "Sign a catalogue file."),
        },
        "The models: which there are, which are on.",
    ),
    "fallback": Here(
        {
            "list": Here("freellm.cli.fallback:list_", "List the models in the order they are tried."),
            "move": Here(
                "freellm.cli.fallback:move", "Put a model at a place in the order, 1 being the first."
            ),
            "set": Here("freellm.cli.fallback:set_", "Put models in this order, before all others."),
            "sort": Here("freellm.cli.fallback:sort", "Put all models in order at once."),
        },
        "The order in which `auto` tries the models.",
    ),
    "profiles": Here(
        {
            "list": Here("freellm.cli.profiles:list_", "List the profiles: who may answer, in which order."),
            "add": Here("freellm.cli.profiles:add", "Give a chain of models, or a choice of them, a name."),
            "remove": Here("freellm.cli.profiles:remove", "Delete a profile."),
        },
        "Chains and filters with a name; `auto:NAME` asks for one.",
        default="list",
    ),
    "log": Here("freellm.cli.log:log", "List the last requests, and who answered them."),
    "backup": Here("freellm.cli.backup:backup", "Copy the database, also while a server runs."),
    "plugins": Here(
        {
            "list": Here(
                "freellm.cli.plugins.listing:list_", "List the installed plugins and what is wrong with them."
            ),
            "check": Here(
                "freellm.cli.plugins.checking:check", "Examine a provider: whether it keeps to the contract."
            ),
            "new": Here("freellm.cli.plugins.making:new", "Begin a provider with a package to fill in."),
        },
        "The installed plugins; alone, it lists them.",
        default="list",
    ),
    "compare": Here("freellm.cli.compare.command:compare", "Put one prompt to several models, side by side."),
    "explain": Here(
        "freellm.cli.explain.command:explain", "Say which route would serve a request, and why no other."
    ),
    "quota": Here(
        {
            "show": Here(
                "freellm.cli.quota.showing:show", "Show what is left of every quota, and until when."
            ),
            "clear": Here("freellm.cli.quota.clearing:clear", "Take back what closes a provider or a route."),
        },
        "The quotas; alone, or with a provider, it shows them.",
        default="show",
        takes_arguments=True,
    ),
    "top": Here("freellm.cli.quota.top:top", "Watch quotas, requests and closed routes live."),
    "stress": Here(
        "freellm.cli.stress.command:stress", "Fire requests at a running proxy and say who answered."
    ),
}
