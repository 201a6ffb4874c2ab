import type { KeyRow } from "@/api/types";
import type { Tone } from "@/components";

const STATES: Record<KeyRow["state"], [tone: Tone, word: string]> = {
  valid: ["good", "ok"],
  untested: ["idle", "untested"],
  invalid: ["bad", "key refused"],
  unreadable: ["bad", "unreadable"],
  orphaned: ["warn", "no plugin"],
};

/** The word and the colour of what is known of a key. One that is off says so: its state does not matter then. */
export function standing(key: KeyRow): [tone: Tone, word: string] {
  if (!key.enabled) return ["idle", "off"];
  if (key.source === "keyless" && key.state === "untested") return ["idle", "keyless"];
  return STATES[key.state];
}
