import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { silentLogger, systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { LogQueue } from "./log-queue.ts";
import { ScriptRunner } from "./script-runner.ts";

/* A file system that is slow to create the directory of programs delays the scripts, which may use them. */

const run = promisify(execFile);

/** Delays the creation of directories with that name: a script that did not wait would have ended long before. */
function makeLate(name: string): void {
  const { mkdir } = files;
  const late = async (
    ...[path, options]: Parameters<typeof mkdir>
  ): Promise<string | undefined> => {
    if (String(path).endsWith(name)) {
      for (let count = 0; count < 10; count += 1) await run("/bin/sh", ["-c", "true"]);
    }
    return mkdir(path, options);
  };
  Object.assign(files, { mkdir: late });
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(files, { mkdir });
    syncBuiltinESMExports();
  });
}

it("starts no script before everything is prepared", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-preparation-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  makeLate("/bin");
  using commands = openCommandHost();
  const logs = new LogQueue(systemClock);
  const id = "00000000-0000-0000-0000-000000000001";
  const script = {
    id,
    logSourceId: id,
    displayName: "",
    logPath: "",
    text: "ls $CODER_SCRIPT_BIN_DIR && echo begun",
    cron: "",
  };
  const runner = new ScriptRunner(
    [{ ...script, runOnStart: true, runOnStop: false, timeoutMs: undefined }],
    {
      commands,
      prepare: async (text, extra) => {
        const command = shellCommand(text);
        const bin = extra["CODER_SCRIPT_BIN_DIR"] ?? "";
        return { ...command, environment: { ...command.environment, CODER_SCRIPT_BIN_DIR: bin } };
      },
      logs,
      directories: { dataDir: directory, logDir: directory },
      home: { home: directory, environment: {} },
      logger: silentLogger,
    },
    () => undefined,
  );
  expect(await runner.start()).toBe("ok");
  void logs.flush(new AbortController().signal);
  const next = logs.next();
  const lines = "lines" in next ? next.lines.map(({ output }) => output) : [];
  expect(lines).toEqual(["begun"]);
});
