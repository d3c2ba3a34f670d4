import { describe, expect, it } from "vitest";

import { applyEdit } from "./edit-text.ts";

const edit = (text: string, search: string, replace: string, replaceAll = false): string =>
  applyEdit(text, { search, replace, replaceAll });

describe("the exact text", () => {
  it("is replaced where it occurs, also within a line", () => {
    expect(edit("let a = 1;\nlet b = 2;\n", "b = 2", "c = 3")).toBe("let a = 1;\nlet c = 3;\n");
  });

  it("is replaced everywhere if wanted", () => {
    expect(edit("a a a", "a", "$&b", true)).toBe("$&b $&b $&b");
  });

  it.each([
    ["empty", "text", "", "invalid"],
    ["absent", "text", "other", "unmatched"],
    ["ambiguous", "one\none\n", "one", "unmatched"],
    ["ambiguous up to blanks", "one \nx\none  \n", "one\t\n", "unmatched"],
  ])("is refused if it is %s", (_what, text, search, code) => {
    expect(() => edit(text, search, "new")).toThrow(expect.objectContaining({ code }));
  });
});

describe("whole lines", () => {
  it("match with other blanks at their end, which the file keeps", () => {
    expect(edit("if (a) {  \n  b();\t\n}\n", "if (a) {\n  b();\n", "if (a) {\n  c();\n")).toBe(
      "if (a) {  \n  c();\t\n}\n",
    );
  });

  it("match with another indentation, which the file keeps", () => {
    expect(edit("\tif (a) {\n\t\tb();\n\t}\n", "if (a) {\n  b();\n}", "if (a) {\n  c();\n}")).toBe(
      "\tif (a) {\n\t\tc();\n\t}\n",
    );
  });

  it("get new lines in the unit of the file", () => {
    const replaced = edit(
      "\tif (a) {\n\t\tb();\n\t}\n",
      "if (a) {\n  b();\n}",
      "if (a) {\n  b();\n  if (c) {\n    d();\n  }\n}",
    );
    expect(replaced).toBe("\tif (a) {\n\t\tb();\n\t\tif (c) {\n\t\t\td();\n\t\t}\n\t}\n");
  });

  it("match with the other line ending, which the file keeps", () => {
    expect(edit("a\r\nb\r\nc\r\n", "a\nb\n", "a\nx\ny\n")).toBe("a\r\nx\r\ny\r\nc\r\n");
  });

  it("do not match if the edit is about the line ending", () => {
    expect(() => edit("a \r\nb\r\n", "a\r\nb\r\n", "a\nb\n")).toThrow(
      expect.objectContaining({ code: "unmatched" }),
    );
  });

  it("are preferred with their indentation", () => {
    expect(edit("  a \n a\n", " a\n", " b\n")).toBe("  a \n b\n");
    expect(edit("  a \n    a \n", "  a\n", "  b\n")).toBe("  b \n    a \n");
  });
});
