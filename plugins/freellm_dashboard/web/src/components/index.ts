/** What pages are built from. */
export { ClearCooldown } from "./clear_cooldown";
export { Confirm } from "./confirm";
export { CopyButton, CopyField, CopyIcon, Snippet } from "./copy";
export { type Fact, FactList } from "./facts";
export { Figure, Figures, Meter } from "./figures";
export { Marked } from "./marked";
export { NumberField } from "./number_field";
export { Card, Page, Section } from "./page";
export { Empty, Lines, Loaded, Problem } from "./states";
export { Status, type Tone } from "./status";
export { Ago, Countdown } from "./times";
export { notify, notifyProblem, Toasts } from "./toasts";
export { ToolButton } from "./tool_button";
export { useAction } from "./use_action";
export { useNow } from "./use_now";
export { useQueryParam } from "./use_query_param";
export { useReturnFocus } from "./use_return_focus";
