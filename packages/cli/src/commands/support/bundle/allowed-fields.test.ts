import { expect, it } from "vitest";

import {
  fields,
  list,
  map,
  maxEntries,
  maxTextLength,
  names,
  value,
  words,
} from "./allowed-fields.ts";
import { secretHider } from "./secret-text.ts";

const hide = secretHider(["hunter2"]);

it("takes only the fields that are named, on every level", () => {
  const allowed = fields({ id: value, agents: list(fields({ name: value, env: names })) });
  const found = {
    id: 1,
    auth_token: "x",
    agents: [{ name: "main", token: "x", env: { A: "x", B: "x" } }],
  };
  expect(allowed(found, hide)).toEqual({ id: 1, agents: [{ name: "main", env: ["A", "B"] }] });
});

it("takes no object in the place of a text, and no text in the place of an object", () => {
  expect(fields({ id: value })({ id: { token: "x" } }, hide)).toEqual({ id: undefined });
  expect(fields({ id: value })("x", hide)).toBeUndefined();
  expect(list(value)({ 0: "x" }, hide)).toBeUndefined();
  expect(names(["x"], hide)).toBeUndefined();
});

it("takes no field of a prototype", () => {
  expect(fields({ constructor: value })({}, hide)).toEqual({});
});

it("removes secrets from texts and from names", () => {
  expect(map(value)({ hunter2: "is hunter2" }, hide)).toEqual({ "[removed]": "is [removed]" });
  expect(words("agent 11111111-1111-4111-8111-111111111111", hide)).toBe("agent [removed]");
});

it("removes a secret that the end of a long text would cut in two", () => {
  const shown = value(`${"x ".repeat(maxTextLength / 2 - 2)}hunter2`, hide);
  expect(shown).not.toContain("hun");
});

it("bounds lists, maps and texts", () => {
  const many = Array.from({ length: maxEntries + 1 }, (_, index) => index);
  expect(list(value)(many, hide)).toHaveLength(maxEntries);
  expect(map(value)(Object.fromEntries(many.entries()), hide)).not.toHaveProperty(
    String(maxEntries),
  );
  expect(value("é".repeat(maxTextLength + 1), hide)).toHaveLength(maxTextLength + 1);
});
