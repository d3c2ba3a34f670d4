import fc from "fast-check";
import { expect, it } from "vitest";

import { noColors } from "./colors.ts";
import { renderPairs, renderTable } from "./table.ts";

const layout = { colors: noColors, columns: undefined };

it("aligns columns, without spaces at the end of a line", () => {
  const lines = renderTable(
    ["NAME", "STATUS"],
    [
      ["a", "running"],
      ["longer", "x"],
    ],
    layout,
  );
  expect(lines).toEqual(["NAME    STATUS", "a       running", "longer  x"]);
});

it("pads a cell by its visible text, not by its color codes", () => {
  const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
  const [, line] = renderTable(["A", "B"], [[{ text: "xx", style: red }, "y"]], layout);
  expect(line).toBe("\u001b[31mxx\u001b[39m  y");
});

it("counts a wide character as two columns and a mark as none", () => {
  const lines = renderTable(
    ["A", "B"],
    [
      ["日本", "x"],
      ["e\u0301abc", "y"],
    ],
    layout,
  );
  expect(lines).toEqual(["A     B", "日本  x", "e\u0301abc  y"]);
});

it("removes control characters from untrusted text", () => {
  const [, line] = renderTable(["A"], [["a\u001b[2Jb\nc"]], layout);
  expect(line).toBe("ab c");
});

it("aligns values", () => {
  expect(
    renderPairs(
      [
        ["Id", "1"],
        ["Template", "small"],
      ],
      layout,
    ),
  ).toEqual(["Id        1", "Template  small"]);
});

const rows = [
  ["one", "a template with a long description of what it is for"],
  ["a-name-that-is-long", "short"],
];

it("wraps cells between words on a narrow terminal", () => {
  expect(renderTable(["NAME", "ABOUT"], rows, { colors: noColors, columns: 45 })).toEqual([
    "NAME                 ABOUT",
    "one                  a template with a long",
    "                     description of what it",
    "                     is for",
    "a-name-that-is-long  short",
  ]);
});

it("prints one line per cell where not even single words fit", () => {
  expect(renderTable(["NAME", "ABOUT"], rows, { colors: noColors, columns: 26 })).toEqual([
    "NAME   one",
    "ABOUT  a template with a",
    "       long description of",
    "       what it is for",
    "",
    "NAME   a-name-that-is-long",
    "ABOUT  short",
  ]);
});

it("breaks no word, and no line too early, at any width", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 8 });
  const table = fc.array(fc.tuple(words, words, words), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 120 }), (cells, columns) => {
      const headings = ["ONE", "TWO", "THREE"];
      const lines = renderTable(
        headings,
        cells.map((row) => row.map((cell) => cell.join(" "))),
        { colors: noColors, columns },
      );
      const printed = lines.flatMap((line) => line.split(/ +/)).toSorted();
      for (const word of cells.flat(2)) expect(printed).toContain(word);
      const widest = Math.max(...[...headings, ...cells.flat(2)].map(({ length }) => length));
      const limit = Math.max(columns, widest + "THREE  ".length);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(limit);
    }),
  );
});
