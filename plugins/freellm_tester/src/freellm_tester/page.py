"""The page: three tabs over one proxy. Needs Gradio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from importlib.resources import files
from typing import Any, Final

import gradio as gr

from freellm import FreeLLMError
from freellm.measuring import Result, best_families, question
from freellm_tester import charts, running, showing
from freellm_tester.proxy import Exchange, Proxy

CSS: Final = (files("freellm_tester") / "page.css").read_text("utf-8")

THEME: Final = gr.themes.Default(
    primary_hue="blue",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
"""Fonts are the system's: none is fetched."""

PROMPT: Final = "Explain the difference between supervised and unsupervised learning in two sentences."
STRESS_PROMPT: Final = "Give me one interesting fact about space in exactly 20 words."

_MOST_REQUESTS: Final = 1_000


def build(proxy: Proxy) -> gr.Blocks:
    """Return the page.

    :param proxy: the proxy that is tried; its key stays on this side
    """
    with gr.Blocks(title="freellm tester", analytics_enabled=False) as page:
        with gr.Row(equal_height=True):
            gr.Markdown("## freellm tester")
            refresh = gr.Button("Refresh the models", size="sm", scale=0, min_width=180)
        state = gr.HTML(showing.notice(f"asking {proxy.url} for its models …"))
        with gr.Tab("One prompt"):
            one = _one_prompt(proxy)
        with gr.Tab("Stress test"):
            many = _stress(proxy)
        with gr.Tab("Side by side"):
            several = _side_by_side(proxy)

        async def models(picked: list[str]) -> tuple[Any, ...]:
            try:
                listed = showing.chatting(await proxy.models())
            except FreeLLMError as error:
                return showing.notice(str(error), bad=True), gr.skip(), gr.skip(), gr.skip()
            offered = showing.choices(listed)
            return (
                showing.state_of(proxy.url, listed),
                gr.update(choices=offered),
                gr.update(choices=offered),
                gr.update(choices=offered, value=picked or best_families(listed)),
            )

        outputs = [state, one, many, several]
        page.load(models, several, outputs, api_name="models")
        refresh.click(models, several, outputs, api_visibility="private")
    page.queue(default_concurrency_limit=8)
    return page


def _one_prompt(proxy: Proxy) -> gr.Dropdown:
    """Draw the tab of a single prompt; return its model picker."""
    with gr.Row():
        with gr.Column(scale=2):
            model = _model_picker()
            prompt = gr.Textbox(PROMPT, label="Prompt", lines=5, max_lines=20)
            system, most = _further()
            send, stop = _buttons("Send")
        with gr.Column(scale=3):
            facts = gr.HTML(showing.answer_cards(Exchange("auto")))
            answer = gr.Textbox(label="Answer", lines=9, max_lines=24, interactive=False, buttons=["copy"])
            head = gr.Textbox(
                label="Raw headers",
                lines=8,
                max_lines=24,
                interactive=False,
                buttons=["copy"],
                elem_id="head",
            )

    async def ask(
        model: str, prompt: str, system: str, most: float | None
    ) -> AsyncIterator[tuple[str, str, str]]:
        body = question(
            model or "auto", _stated(prompt), system=system or None, max_tokens=_whole(most), stream=True
        )
        async with aclosing(running.one_prompt(proxy, body)) as exchanges:
            async for exchange in exchanges:
                yield showing.answer_cards(exchange), showing.answer_text(exchange), exchange.head

    event = gr.on(
        [send.click, prompt.submit],
        ask,
        inputs=[model, prompt, system, most],
        outputs=[facts, answer, head],
        api_name="ask",
        show_progress="hidden",
    )
    stop.click(None, cancels=[event])
    return model


def _stress(proxy: Proxy) -> gr.Dropdown:
    """Draw the tab of the stress test; return its model picker."""
    with gr.Row():
        model = _model_picker()
        requests = gr.Number(
            100, label="Requests", minimum=1, maximum=_MOST_REQUESTS, precision=0, min_width=100
        )
        delay = gr.Number(0.2, label="Seconds between them", minimum=0, maximum=60, step=0.1, min_width=100)
    prompt = gr.Textbox(STRESS_PROMPT, label="Prompt")
    start, stop = _buttons("Start")
    facts = gr.HTML(showing.stress_cards([], 100))
    with gr.Row(equal_height=True):
        with gr.Column(scale=5):
            latency = gr.HTML(charts.latency_chart([], 100))
        with gr.Column(scale=3):
            shares = gr.HTML(charts.distribution_chart([]))
    table = gr.Dataframe(
        headers=list(showing.PHASES),
        value=[],
        label="Phases",
        interactive=False,
        wrap=True,
        column_widths=["10%", "10%", "28%", "52%"],
    )

    async def fire(model: str, requests: float, delay: float, prompt: str) -> AsyncIterator[tuple[Any, ...]]:
        count, pause = _whole(requests) or 1, float(delay or 0)
        body = question(model or "auto", _stated(prompt))
        async with aclosing(running.stress(proxy, body, count, pause)) as runs:
            async for results in runs:
                yield _stress_shown(results, count)

    event = start.click(
        fire,
        inputs=[model, requests, delay, prompt],
        outputs=[facts, latency, shares, table],
        api_name="stress",
        show_progress="hidden",
    )
    stop.click(None, cancels=[event])
    return model


def _stress_shown(results: Sequence[Result], count: int) -> tuple[Any, ...]:
    return (
        showing.stress_cards(results, count),
        charts.latency_chart(results, count),
        charts.distribution_chart(results),
        showing.phase_rows(results),
    )


def _side_by_side(proxy: Proxy) -> gr.Dropdown:
    """Draw the tab that compares models; return its model picker."""
    models = gr.Dropdown([], label="Models", multiselect=True, allow_custom_value=True, max_choices=8)
    prompt = gr.Textbox(PROMPT, label="Prompt", lines=2, max_lines=20)
    system, most = _further()
    compare, stop = _buttons("Compare")
    table = gr.Dataframe(
        headers=list(showing.COMPARED), value=[], show_label=False, interactive=False, wrap=True,
        column_widths=["22%", "26%", "8%", "8%", "9%", "9%", "9%", "9%"],
    )  # fmt: skip
    answers = gr.HTML()

    async def ask(
        models: list[str], prompt: str, system: str, most: float | None
    ) -> AsyncIterator[tuple[list[list[str]], str]]:
        if not models:
            raise gr.Error("Choose the models to compare.")
        runs = running.side_by_side(
            proxy, models, _stated(prompt), system=system or None, max_tokens=_whole(most)
        )
        async with aclosing(runs) as looks:
            async for exchanges in looks:
                yield showing.compared_rows(exchanges), showing.answers_abreast(exchanges)

    event = gr.on(
        [compare.click, prompt.submit],
        ask,
        inputs=[models, prompt, system, most],
        outputs=[table, answers],
        api_name="compare",
        show_progress="hidden",
    )
    stop.click(None, cancels=[event])
    return models


def _model_picker() -> gr.Dropdown:
    return gr.Dropdown(["auto"], value="auto", label="Model", allow_custom_value=True, scale=2)


def _further() -> tuple[gr.Textbox, gr.Number]:
    with gr.Accordion("System message, longest answer", open=False):
        system = gr.Textbox(label="System message", lines=2)
        most = gr.Number(None, label="Longest answer, in tokens", minimum=1, precision=0)
    return system, most


def _buttons(first: str) -> tuple[gr.Button, gr.Button]:
    with gr.Row():
        return gr.Button(first, variant="primary"), gr.Button("Stop", scale=0, min_width=100)


def _stated(prompt: str) -> str:
    if not prompt.strip():
        raise gr.Error("The prompt is empty; state what is to be answered.")
    return prompt


def _whole(value: float | None) -> int | None:
    return int(value) if value else None
