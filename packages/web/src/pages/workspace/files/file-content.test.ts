import { expect, it } from "vitest";

import { childPath, pathParts, savedText, shownContent } from "./file-content.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it("shows text as text, whatever it says", () => {
  const text = "<script>alert(1)</script>";
  expect(shownContent("/x.html", bytes(text))).toMatchObject({ kind: "text", text });
  expect(shownContent("/x.svg", bytes("<svg/>"))).toMatchObject({ kind: "text", text: "<svg/>" });
});

it.each(["one\r\ntwo\r\n", "one\ntwo\n", "one", "", "\uFEFFone\r\n"])(
  "saves %j as it was read",
  (text) => {
    const shown = shownContent("/a", bytes(text));
    if (shown.kind !== "text") throw new Error("not a text");
    expect(shown.text).not.toContain("\r");
    expect(savedText(shown.text, shown.lineBreak)).toBe(text);
  },
);

it("saves line breaks of several kinds as line feeds", () => {
  const read = shownContent("/a", bytes("one\r\ntwo\nthree\rfour"));
  expect(read).toEqual({ kind: "text", text: "one\ntwo\nthree\nfour", lineBreak: "\n" });
});

it("shows pictures by their bytes, and nothing else that is no text", () => {
  expect(shownContent("/a.PNG", bytes("x"))).toEqual({
    kind: "image",
    address: "data:image/png;base64,eA==",
  });
  expect(shownContent("/a", Uint8Array.of(0, 1))).toEqual({ kind: "binary" });
  expect(shownContent("/a", Uint8Array.of(0xff, 0xfe))).toEqual({ kind: "binary" });
});

it("takes paths apart and puts them together", () => {
  expect(pathParts("/home/ada").map(({ path }) => path)).toEqual(["/", "/home", "/home/ada"]);
  expect(pathParts("/")).toEqual([{ name: "/", path: "/" }]);
  expect(childPath("/", "a")).toBe("/a");
  expect(childPath("/home", "a")).toBe("/home/a");
});
