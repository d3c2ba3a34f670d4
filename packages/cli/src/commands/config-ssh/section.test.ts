import fc from "fast-check";
import { expect, it } from "vitest";

import { replaceSection, sectionMarkers } from "./section.ts";

const { start, end } = sectionMarkers;
const mine = "Host mine\n\tPort 22\n";
const section = `${start}\nHost *.slipway\n${end}\n`;

it("adds its section after everything else, and removes it again", () => {
  const added = replaceSection(mine, ["Host *.slipway"]);
  expect(added).toBe(mine + section);
  expect(replaceSection(added, undefined)).toBe(mine);
  expect(replaceSection("", ["Host *.slipway"])).toBe(section);
});

it("changes nothing when it is run again", () => {
  const added = replaceSection("Host mine", ["one", "two"]);
  expect(added).toBe(`Host mine\n${start}\none\ntwo\n${end}\n`);
  expect(replaceSection(added, ["one", "two"])).toBe(added);
});

it("replaces its section where it stands", () => {
  const before = `${mine}${section}Host other\r\n`;
  const after = `${mine}${start}\nHost new\n${end}\nHost other\r\n`;
  expect(replaceSection(before, ["Host new"])).toBe(after);
});

it("finds markers that an editor has indented or given other line ends", () => {
  const before = `${mine}  ${start}\r\nold\r\n${end}\t\r\n# mine`;
  expect(replaceSection(before, undefined)).toBe(`${mine}# mine`);
});

it.each([
  [`${start}\nHost a\n`, "line 1: the section of slipway does not end"],
  [`Host a\n${end}\n`, "line 2: a section of slipway ends that does not begin"],
  [`${end}\n${start}\n`, "line 1: the section of slipway ends before it begins"],
  [`${section}${section}`, "line 4: a second section of slipway begins"],
  [`${start}\n${start}\n${end}\n`, "line 2: a second section of slipway begins"],
  [`${section}${end}\n`, "line 4: a second section of slipway ends"],
])("does not guess what is its own in %j", (text, problem) => {
  expect(() => replaceSection(text, ["Host new"])).toThrow(problem);
  expect(() => replaceSection(text, undefined)).toThrow(problem);
});

it("never touches the lines of others", () => {
  const line = fc.stringMatching(/^[ -~\t]*\r?$/);
  fc.assert(
    fc.property(fc.array(line), fc.array(line), fc.array(line), (before, ours, after) => {
      const around = (middle: readonly string[]): string =>
        [...before, start, ...middle, end, ...after].join("\n");
      expect(replaceSection(around(["old"]), ours)).toBe(around(ours));
      expect(replaceSection(around(ours), undefined)).toBe([...before, ...after].join("\n"));
    }),
  );
});
