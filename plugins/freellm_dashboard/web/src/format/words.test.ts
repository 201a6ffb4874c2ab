import { expect, it } from "vitest";
import { sentence } from "./words";

it.each([
  ["", ""],
  ["the key was refused", "The key was refused."],
  ["Done.", "Done."],
  ["is it running?", "Is it running?"],
  ["freellm_x is no field", "freellm_x is no field."],
  ["freellm dashboard link does it", "freellm dashboard link does it."],
  ["groq/llama-3 is closed", "groq/llama-3 is closed."],
])("%j reads %j", (words, text) => expect(sentence(words)).toBe(text));
