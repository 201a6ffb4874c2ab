"""What strangers write where a name, a label, an error or an answer is expected: fifty ways into a careless page.

Every one of them, were it taken for markup or script, would open a dialog, add an element marked `data-planted`, or ask
an address that the policy forbids.
"""

from __future__ import annotations

from typing import Final

_RUN: Final = "alert(1)"

PAYLOADS: Final = (
    f"<script>{_RUN}</script>",
    f"<ScRiPt data-planted>{_RUN}</sCrIpT>",
    f"<script src=data:,{_RUN}></script>",
    f"<script type=module data-planted>{_RUN}</script>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"</script><script>{_RUN}</script>",
    f"</title><script>{_RUN}</script>",
    f"</textarea><img data-planted src=x onerror={_RUN}>",
    f"--><img data-planted src=x onerror={_RUN}>",
    f"]]><img data-planted src=x onerror={_RUN}>",
    f"<img data-planted src=x onerror={_RUN}>",
    f'<img data-planted src="x" onerror="{_RUN}">',
    "<img data-planted src=x:x onerror=&#97;lert(1)>",
    f"<img/data-planted/src=x/onerror={_RUN}>",
    "<img data-planted src=http://127.0.0.1:9/pixel>",
    f"<svg data-planted onload={_RUN}>",
    f"<svg data-planted><script>{_RUN}</script></svg>",
    f"<svg data-planted><animate onbegin={_RUN} attributeName=x dur=1s>",
    f"<math data-planted><mi xlink:href=javascript:{_RUN}>x</mi></math>",
    f"<iframe data-planted src=javascript:{_RUN}></iframe>",
    f"<iframe data-planted srcdoc='<script>{_RUN}</script>'></iframe>",
    f"<object data-planted data=javascript:{_RUN}></object>",
    f"<embed data-planted src=javascript:{_RUN}>",
    f"<body data-planted onload={_RUN}>",
    f"<details data-planted open ontoggle={_RUN}>",
    f"<input data-planted autofocus onfocus={_RUN}>",
    f"<select data-planted autofocus onfocus={_RUN}></select>",
    f"<video data-planted><source onerror={_RUN}></video>",
    f"<audio data-planted src=x onerror={_RUN}>",
    f"<marquee data-planted onstart={_RUN}>",
    f"<a data-planted href=javascript:{_RUN}>x</a>",
    f"<form data-planted action=javascript:{_RUN}><button>x</button></form>",
    "<form data-planted action=http://127.0.0.1:9/><input type=submit>",
    "<base data-planted href=http://127.0.0.1:9/>",
    "<meta data-planted http-equiv=refresh content=0;url=http://127.0.0.1:9/>",
    "<link data-planted rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<style data-planted>*{display:none}</style>",
    "<div data-planted style=background:url(http://127.0.0.1:9/)>x</div>",
    f"<template data-planted><script>{_RUN}</script></template>",
    f"<noscript><p title='</noscript><img data-planted src=x onerror={_RUN}>'>",
    f'" autofocus onfocus={_RUN} data-planted="',
    f"' onmouseover={_RUN} data-planted='",
    f"javascript:{_RUN}",
    f"data:text/html,<script>{_RUN}</script>",
    f"[x](javascript:{_RUN})",
    f'![x](x:x "onerror={_RUN}")',
    f"<javascript:{_RUN}>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    '{"__proto__": {"dangerouslySetInnerHTML": {"__html": "<img data-planted src=x onerror=alert(1)>"}}}',
)
