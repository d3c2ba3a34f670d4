import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openFiles } from "@slipway/testkit/open-files";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";

import { createLineLogger } from "./line-logger.ts";
import { RotatingFile } from "./rotating-file.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-logs-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("createLineLogger", () => {
  it("writes for people and for programs, and keeps secrets", () => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const logger = createLineLogger(
      [
        { format: "human", minLevel: "info", write },
        { format: "json", minLevel: "debug", write },
      ],
      () => 0,
    ).child({ part: "x" });
    logger.debug({}, "quiet");
    const headers = { Cookie: "s3cret" };
    logger.warn({ text: "a b", count: 2, agentToken: "s3cret", headers }, "loud");
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"debug","msg":"quiet","part":"x"}\n',
      '1970-01-01T00:00:00.000Z warn  loud part=x text="a b" count=2 agentToken=[redacted] headers=[redacted]\n',
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","msg":"loud","part":"x","text":"a b","count":2,"agentToken":"[redacted]","headers":"[redacted]"}\n',
    ]);
  });

  it("goes on when a sink fails", () => {
    const write = (): void => {
      throw new Error("disk full");
    };
    const logger = createLineLogger([{ format: "json", minLevel: "info", write }], () => 0);
    expect(() => logger.info({}, "x")).not.toThrow();
  });
});

describe("RotatingFile", () => {
  it("starts anew when it is full, and keeps only so many old files", () => {
    let nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
    const path = join(folder, "coder-agent.log");
    using file = new RotatingFile(path, { maxBytes: 10, keep: 2 }, () => nowMs);
    for (let count = 0; count < 5; count += 1) {
      file.write(`line ${count}\n`);
      nowMs += 1_000;
    }
    expect(readFileSync(path, "utf8")).toBe("line 4\n");
    const open = openFiles().filter((name) => name.startsWith(folder));
    expect(open.filter((name) => name !== path)).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual([
      "coder-agent-2026-01-02T03-04-08.006.log",
      "coder-agent-2026-01-02T03-04-09.006.log",
      "coder-agent.log",
    ]);
  });

  it("goes on in the full file where somebody else's is in the place of the next", () => {
    const own = mkdtempSync(join(tmpdir(), "slipway-logs-"));
    onTestFinished(() => rmSync(own, { recursive: true }));
    const path = join(own, "coder-agent.log");
    using file = new RotatingFile(path, { maxBytes: 10, keep: 2 }, () => 0);
    // The rotated file cannot be created under its name.
    mkdirSync(join(own, "coder-agent-1970-01-01T00-00-00.000.log", "x"), { recursive: true });
    for (const line of ["line 0\n", "line 1\n", "line 2\n"]) file.write(line);
    expect(readFileSync(path, "utf8")).toBe("line 0\nline 1\nline 2\n");
  });

  it("drops no line because of an old file that it cannot remove", () => {
    const own = mkdtempSync(join(tmpdir(), "slipway-logs-"));
    onTestFinished(() => rmSync(own, { recursive: true }));
    mkdirSync(join(own, "coder-agent-2000.log", "x"), { recursive: true });
    const path = join(own, "coder-agent.log");
    using file = new RotatingFile(path, { maxBytes: 10, keep: 0 }, () => 0);
    for (const line of ["line 0\n", "line 1\n"]) file.write(line);
    expect(readFileSync(path, "utf8")).toBe("line 1\n");
  });
});
