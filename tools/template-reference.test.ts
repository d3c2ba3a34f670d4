import { readFile } from "node:fs/promises";

import { templateJsonSchema } from "@slipway/template";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { type Schema, templateReference } from "./template-reference.ts";

const schema: Schema = templateJsonSchema();
const reference = templateReference(schema);

describe("the reference of slipway.yaml", () => {
  it("is what the committed file holds", async () => {
    const file = await readFile(new URL("../docs/template-reference.md", import.meta.url), "utf8");
    expect(file, "npm run generate writes it again").toBe(reference);
  });

  it("has every field, with what it means", () => {
    for (const { path, name, field } of fieldsOf("", schema)) {
      expect(reference, path).toContain(`**\`${name}\`**`);
      expect(field.description, path).toMatch(/^[A-Z].*\.$/);
    }
  });

  it("gives examples that are right, of all but maps with a section", () => {
    const ajv = new Ajv({ strict: false });
    const lines = reference.split("\n").filter((line) => line.startsWith("- "));
    for (const { path, name, field } of fieldsOf("", schema)) {
      const values: unknown = field.additionalProperties;
      const hasSection = [field, field.items, values].some(
        (one) => typeof one === "object" && one !== null && "properties" in one,
      );
      const isOf = (line: string) =>
        line.startsWith(`- **\`${name}\`**`) && line.includes(field.description ?? "");
      const example = /Example: `(.*)`\.$/.exec(lines.find(isOf) ?? "")?.[1];
      expect(example !== undefined || hasSection, path).toBe(true);
      const value: unknown = example === undefined ? {} : parse(example);
      const check = ajv.compile({ properties: { [name]: field } });
      expect(check(value), `${path}: ${example}`).toBe(true);
    }
  });
});

interface Place {
  readonly path: string;
  readonly name: string;
  readonly field: Schema;
}

/** Lists all fields with their places, through lists and maps. */
function fieldsOf(path: string, { properties = {}, items, additionalProperties }: Schema): Place[] {
  const own = Object.entries(properties).map(([name, field]) => {
    return { path: `${path}.${name}`, name, field };
  });
  const values = typeof additionalProperties === "object" ? [additionalProperties] : [];
  const inner = [...(items === undefined ? [] : [items]), ...values];
  return [
    ...own,
    ...own.flatMap((one) => fieldsOf(one.path, one.field)),
    ...inner.flatMap((one) => fieldsOf(path, one)),
  ];
}
