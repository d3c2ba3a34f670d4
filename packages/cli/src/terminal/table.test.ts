import { expect, test } from "vitest";

import { noColors } from "./colors.ts";
import { renderPairs, renderTable } from "./table.ts";

test("puts columns below each other, without spaces at the end of a line", () => {
  const lines = renderTable(
    ["NAME", "STATUS"],
    [
      ["a", "running"],
      ["longer", "x"],
    ],
    noColors,
  );
  expect(lines).toEqual(["NAME    STATUS", "a       running", "longer  x"]);
});

test("pads a cell by what is seen, not by its colour codes", () => {
  const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
  const [, line] = renderTable(["A", "B"], [[{ text: "xx", style: red }, "y"]], noColors);
  expect(line).toBe("\u001b[31mxx\u001b[39m  y");
});

test("counts a wide character as two columns and a mark as none", () => {
  const lines = renderTable(
    ["A", "B"],
    [
      ["日本", "x"],
      ["e\u0301abc", "y"],
    ],
    noColors,
  );
  expect(lines).toEqual(["A     B", "日本  x", "e\u0301abc  y"]);
});

test("takes control characters out of what others wrote", () => {
  const [, line] = renderTable(["A"], [["a\u001b[2Jb\nc"]], noColors);
  expect(line).toBe("ab c");
});

test("puts values below each other", () => {
  expect(
    renderPairs(
      [
        ["Id", "1"],
        ["Template", "small"],
      ],
      noColors,
    ),
  ).toEqual(["Id        1", "Template  small"]);
});
