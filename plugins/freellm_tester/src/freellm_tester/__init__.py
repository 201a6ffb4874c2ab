"""A page to try a running freellm by hand: one prompt, a stress test with a live chart, models side by side.

What is sent and shown does without Gradio (`proxy`, `running`, `showing`); only `page` and `serving` need it.
"""
