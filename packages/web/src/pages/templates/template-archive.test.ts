import { readTemplateArchive } from "@slipway/template";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createArchive, readDefinition, replaceDefinition } from "./template-archive.ts";

describe("an archive that the page creates", () => {
  it("is one that the server reads", async () => {
    const text = "driver: process\n# ü\n";
    expect(await readTemplateArchive(createArchive(text))).toEqual({
      definitionPath: "slipway.yaml",
      definitionText: text,
      readme: "",
    });
  });

  it("has every text that is put into it, whatever was there", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 2000 }),
        fc.string({ maxLength: 2000 }),
        async (a, b) => {
          const archive = replaceDefinition(createArchive(a), b);
          const text = new TextDecoder().decode(new TextEncoder().encode(b));
          expect(readDefinition(archive)?.text).toBe(text);
          expect(archive.length % 512).toBe(0);
          expect(await readTemplateArchive(archive)).toMatchObject({ definitionText: text });
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("an archive of others", () => {
  it("keeps its other files", () => {
    const one = createArchive("a: 1\n");
    const readme = createArchive("hello\n");
    readme.set(new TextEncoder().encode("README.md\0\0\0"), 0);
    const end = one.length - 1024;
    const archive = new Uint8Array(end + readme.length);
    archive.set(one.subarray(0, end));
    archive.set(readme, end);
    const replaced = replaceDefinition(archive, "b: 2\n".repeat(300));
    expect(readDefinition(replaced)).toEqual({
      path: "slipway.yaml",
      text: "b: 2\n".repeat(300),
      others: ["README.md"],
    });
  });

  it("may be anything at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        readDefinition(bytes);
      }),
    );
    expect(readDefinition(new Uint8Array())).toBe(undefined);
    expect(() => replaceDefinition(new Uint8Array(1024), "")).toThrow(TypeError);
  });

  it("is not read beyond its end", () => {
    const archive = createArchive("a: 1\n");
    const textAt = (length: number) => readDefinition(archive.subarray(0, length))?.text;
    for (let length = 0; length < 517; length += 37) expect(textAt(length)).toBe(undefined);
    for (const length of [517, 600, 1024]) expect(textAt(length)).toBe("a: 1\n");
  });
});
