import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { openConnectionLog } from "./connection-log.ts";

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
const options = { directory: undefined, isVerbose: false, processId: 77, clock };

it("writes into a new file that editors find by the process that has started it", () => {
  const parent = mkdtempSync(join(tmpdir(), "slipway-log-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, "logs");
  for (const isVerbose of [false, true]) {
    using log = openConnectionLog({ ...options, directory, isVerbose, print: expect.unreachable });
    log.logger.debug({}, "details");
    log.logger.child({ part: "relay" }).warn({ text: "\u009b2J" }, "lost");
  }
  const names = readdirSync(directory);
  expect(names).toEqual([expect.any(String), expect.any(String)]);
  const texts = names.map((name) => {
    expect(name).toMatch(/^coder-ssh-20260102-030405-[0-9a-f]{8}-77\.log$/);
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    return readFileSync(join(directory, name), "utf8");
  });
  const lost = '{"time":"2026-01-02T03:04:05.000Z","level":"warn","msg":"lost","part":"relay",';
  expect(texts.filter((text) => text.includes("details"))).toHaveLength(1);
  expect(texts.every((text) => text.endsWith(`${lost}"text":"\\u009b2J"}\n`))).toBe(true);
});

it("prints only where that is wanted and there is no file", () => {
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  using silent = openConnectionLog({ ...options, print });
  silent.logger.error({}, "unseen");
  using verbose = openConnectionLog({ ...options, isVerbose: true, print });
  verbose.logger.debug({}, "seen");
  expect(printed).toEqual([expect.stringContaining('"seen"')]);
});
