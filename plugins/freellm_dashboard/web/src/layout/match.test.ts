import { expect, it } from "vitest";
import { match, type Offer } from "./match";

const offers: Offer[] = [
  ["Pages", "Models", "fallback order"],
  ["Pages", "Keys", "providers"],
  ["Actions", "Add a key", "provider"],
  ["Models", "groq/llama-3.3-70b", "Llama 3.3 70B"],
  ["Models", "cerebras/gpt-oss-120b", "GPT OSS"],
].map(([group = "", title = "", words = ""]) => ({ id: title, group, title, words }));

const titles = (typed: string) => match(offers, typed).map((offer) => offer.title);

it("offers pages and actions before anything is typed", () => {
  expect(titles("")).toEqual(["Models", "Keys", "Add a key"]);
});

it("puts what begins with the word first, and keeps groups together", () => {
  expect(titles("key")).toEqual(["Keys", "Add a key"]);
  expect(titles("fallback")).toEqual(["Models"]);
});

it("wants every word to occur", () => {
  expect(titles("gpt 120")).toEqual(["cerebras/gpt-oss-120b"]);
  expect(titles("gpt 70b")).toEqual([]);
});
