import { readFileSync } from "node:fs";

import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { templateJsonSchema } from "./json-schema.ts";

const isValid = new Ajv({ strict: false }).compile(templateJsonSchema());

describe("the JSON schema of slipway.yaml", () => {
  // `npm run generate` updates it.
  it("is what the committed file holds", () => {
    const file = readFileSync(new URL("slipway.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(file)).toEqual(templateJsonSchema());
  });

  it.each(["demo", "docker", "external", "pool"])("allows the example %s as it stands", (name) => {
    const text = readFileSync(
      new URL(`../../../examples/${name}.slipway.yaml`, import.meta.url),
      "utf8",
    );
    expect(isValid(parse(text)), JSON.stringify(isValid.errors)).toBe(true);
  });

  it.each([
    ["an unknown key", { driver: "process", agents: { main: {} }, agnets: {} }],
    ["no agent", { driver: "process", agents: {} }],
    ["a bad name", { driver: "process", agents: { Main: {} } }],
    ["a time without a unit", { driver: "process", agents: { main: { connection_timeout: 5 } } }],
    ["an unknown choice", { driver: "process", agents: { main: { os: "beos" } } }],
  ])("refuses %s", (_, value) => {
    expect(isValid(value)).toBe(false);
  });

  it("describes every key", () => {
    const undescribed: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      const properties: unknown = Reflect.get(value, "properties");
      for (const [key, one] of Object.entries(properties ?? {})) {
        if (typeof one?.description !== "string" || one.description === "")
          undescribed.push(`${path}.${key}`);
      }
      for (const [key, one] of Object.entries(value)) visit(one, `${path}.${key}`);
    };
    visit(templateJsonSchema(), "");
    expect(undescribed).toEqual([]);
  });
});
