import { expect, it } from "vitest";
import { CLIENTS, filled } from "./snippets";

it.each(CLIENTS.map((client) => [client.title, client] as const))(
  "%s gets the address and the key",
  (_, client) => {
    const text = filled(client, "http://localhost:3001/v1", "fl-secret$&");
    expect(text).toContain("http://localhost:3001/v1");
    expect(text).not.toMatch(/\{(URL|KEY)\}/);
    if (client.text.includes("{KEY}")) expect(text).toContain("fl-secret$&");
  },
);

it.each(["opencode", "pi", "zed"])("the text for %s is JSON", (id) => {
  const client = CLIENTS.find((each) => each.id === id);
  expect(client && JSON.parse(filled(client, "http://localhost:3001/v1", "fl-secret"))).toBeTypeOf("object");
});
