import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { printableJson, printableLine, printableText } from "./printable-text.ts";

const esc = "\u001b";
/** Text that is safe for a terminal: no control character but line feed and tab, and no reordering. */
const harmless = /^(?:[^\p{Cc}\u2028-\u202e\u2066-\u2069]|[\n\t])*$/u;

/** One character each. */
const pieces = `${esc}[]PX^_\\0;:?> !mHJc(\r\n\t\b\u0007\u007f\u0000\u009b\u009d\u0090\u009c\u202e\u2066\u2028\ud800`;

/** Text of the characters that sequences consist of, so that most runs contain some. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...pieces.split(""), "52;c;", `${esc}[31m`, `${esc}[0m`),
      fc.string({ unit: "binary" }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

describe("printableText", () => {
  it("leaves nothing of any text but printable characters, line feeds and tabs", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(printableText(text, { colors: false })).toMatch(harmless);
        expect(printableLine(text)).toMatch(harmless);
        expect(printableLine(text)).not.toMatch(/[\n\t]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("leaves SGR besides, and resets it in each line", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        for (const line of printableText(text, { colors: true }).split("\n")) {
          // eslint-disable-next-line no-control-regex -- the test searches for control characters
          expect(line.replaceAll(/\u001b\[[\d:;]*m/g, "")).toMatch(harmless);
          // eslint-disable-next-line no-control-regex -- the test searches for control characters
          expect(line).toMatch(/^[^\u001b]*$|\u001b\[0?m[^\u001b]*$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("gives the same for what it gave", () => {
    fc.assert(
      fc.property(hostileText, fc.boolean(), (text, colors) => {
        const once = printableText(text, { colors });
        expect(printableText(once, { colors })).toBe(once);
      }),
    );
  });

  it("is as harmless in parts, wherever a text is split", () => {
    const text = `a${esc}]52;c;ZXZpbA==\u0007b${esc}[2J${esc}[31mc\u009b1;1Hd`;
    for (let at = 0; at <= text.length; at += 1) {
      const parts = [text.slice(0, at), text.slice(at)];
      expect(parts.map((part) => printableText(part, { colors: false })).join("")).toMatch(
        harmless,
      );
    }
  });

  it.each([
    ["the clipboard", `a${esc}]52;c;ZXZpbA==\u0007b`, "ab"],
    ["the title, ended by ST", `a${esc}]0;owned${esc}\\b`, "ab"],
    ["a string without an end", `a${esc}]0;owned`, "a0;owned"],
    ["device control", `a${esc}P+q544e${esc}\\b`, "ab"],
    ["an application's command", `a${esc}_Gf=100;AAAA${esc}\\b`, "ab"],
    ["the screen and the cursor", `a${esc}[2J${esc}[1;1Hb`, "ab"],
    ["a report of the cursor", `a${esc}[6nb`, "ab"],
    ["a reset of the terminal", `a${esc}cb`, "ab"],
    ["another character set", `a${esc}(0b`, "ab"],
    ["keyboard modes that end like a color", `a${esc}[>4;2mb`, "ab"],
    ["8-bit sequences", "a\u009b2Jb\u009d0;x\u009cc", "abc"],
    ["an escape that is put together by removing one", `a${esc}${esc}[2J[2Jb`, "a[2Jb"],
    ["a carriage return that hides what was before", "rm -rf /\rls      ", "rm -rf /␍ls      "],
    ["backspace, bell, DEL and NUL", "a\b\u0007\u007f\u0000b", "a␈␇␡␀b"],
    ["bidirectional overrides", "a\u202eb\u2066c\u2069", "abc"],
    ["line ends of another system", "a\r\nb", "a\nb"],
    ["colors", `a${esc}[31mb${esc}[0mc`, "abc"],
  ])("takes out %s", (_name, text, wanted) => {
    expect(printableText(text, { colors: false })).toBe(wanted);
  });

  it.each([
    [`${esc}[1;31mred${esc}[0m`, `${esc}[1;31mred${esc}[0m`],
    [`${esc}[38:2::1:2:3mred`, `${esc}[38:2::1:2:3mred${esc}[0m`],
    [`${esc}[31mone\ntwo`, `${esc}[31mone${esc}[0m\ntwo`],
    [`${esc}[mplain`, `${esc}[mplain`],
    [`${esc}[31`, ""],
  ])("keeps the colors of %j", (text, wanted) => {
    expect(printableText(text, { colors: true })).toBe(wanted);
  });

  it("takes time that grows with the text only", () => {
    const lengthOf = (part: string): number =>
      printableText(part.repeat(200_000), { colors: false }).length;
    // A match that searched the whole rest for its end would never return.
    for (const part of [`${esc}]`, `${esc}[1`, "\u009d", `${esc}P1`, `${esc} `]) {
      expect(lengthOf(part)).toBeLessThan(400_000);
    }
  });
});

describe("printableJson", () => {
  it("is the same document, without a character that a terminal obeys", () => {
    fc.assert(
      fc.property(fc.dictionary(hostileText, hostileText), (value) => {
        const json = printableJson(JSON.stringify(value));
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(json).toMatch(harmless);
      }),
      { numRuns: 1_000 },
    );
  });
});
