import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { beforeEach, expect, it, onTestFinished } from "vitest";

import {
  maxConfigBytes,
  readConfigFile,
  replaceSection,
  sectionMarkers,
  writeConfigFile,
} from "./config-file.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-config-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("creates the file and its directory for their owner alone", async () => {
  const path = join(folder, ".ssh", "config");
  const file = await readConfigFile(path);
  expect(file.text).toBe("");
  await writeConfigFile(file, "Host a\n");
  expect(readFileSync(path, "utf8")).toBe("Host a\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, ".ssh")).mode & 0o777).toBe(0o700);
});

it("keeps the mode, and leaves nothing else behind", async () => {
  const path = join(folder, "config");
  writeFileSync(path, "one");
  chmodSync(path, 0o640);
  await writeConfigFile(await readConfigFile(path), "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder)).toEqual(["config"]);
});

it("writes through links, also to a file that is not there yet", async () => {
  mkdirSync(join(folder, "dotfiles"));
  const target = join(folder, "dotfiles", "ssh-config");
  const link = join(folder, "config");
  symlinkSync("middle", link);
  symlinkSync("dotfiles/ssh-config", join(folder, "middle"));
  await writeConfigFile(await readConfigFile(link), "one");
  expect(readFileSync(target, "utf8")).toBe("one");
  await writeConfigFile(await readConfigFile(link), "two");
  expect(readFileSync(target, "utf8")).toBe("two");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

it("refuses to overwrite what somebody else has written meanwhile", async () => {
  const path = join(folder, "config");
  writeFileSync(path, "one");
  const file = await readConfigFile(path);
  writeFileSync(path, "theirs");
  await expect(writeConfigFile(file, "two")).rejects.toThrow("has changed meanwhile");
  expect(readFileSync(path, "utf8")).toBe("theirs");
});

it("reads no directory, no endless file, no circle of links and nothing but text", async () => {
  await expect(readConfigFile(folder)).rejects.toThrow("is not a file");
  const large = join(folder, "large");
  writeFileSync(large, "#".repeat(maxConfigBytes + 1));
  await expect(readConfigFile(large)).rejects.toThrow("wanted at most 1048576");
  const circle = join(folder, "circle");
  symlinkSync("circle", circle);
  await expect(readConfigFile(circle)).rejects.toThrow("ELOOP");
  const bytes = join(folder, "bytes");
  writeFileSync(bytes, Buffer.of(0x23, 0xff, 0x0a));
  await expect(readConfigFile(bytes)).rejects.toThrow("is not a text in UTF-8");
  await expect(readConfigFile("/dev/null")).rejects.toThrow("is not a file");
});

it("names the file that it cannot write", async () => {
  // The name of the new file beside it is too long.
  const path = join(folder, "c".repeat(255));
  const writing = writeConfigFile(await readConfigFile(path), "Host a\n");
  await expect(writing).rejects.toMatchObject({
    message: `cannot write ${path}`,
    hint: "choose another file with --ssh-config-file",
  });
});

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
