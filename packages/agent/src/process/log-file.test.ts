import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { openLogFile, openLogFileSync } from "./log-file.ts";

const options = { write: "append", mode: 0o600 } as const;

it("opens devices, which the system alone makes", async () => {
  closeSync(openLogFileSync("/dev/null", options));
  await (await openLogFile("/dev/null", options)).close();
});

it.each([
  ["another directory", (folder: string) => join(folder, "pipe")],
  ["one that is spelled as if it were below /dev", (folder: string) => `/dev/..${folder}/pipe`],
])("takes no pipe for a device in %s", async (_, pathIn) => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  const reader = openSync(join(folder, "pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  expect(() => openLogFileSync(pathIn(folder), options)).toThrow("is not a regular file");
  await expect(openLogFile(pathIn(folder), options)).rejects.toThrow("is not a regular file");
});
