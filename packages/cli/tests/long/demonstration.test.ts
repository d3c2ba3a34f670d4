import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { buildAgent, logInAsAdmin, openTestDatabase, startServerProcess } from "@slipway/testkit";
import { expect, inject, it, vi } from "vitest";

import { runCommandLine } from "../../src/command/run-command-line.ts";
import { commandTable } from "../../src/gen/command-table.ts";
import { memoryTerminal } from "../support/memory-terminal.ts";
import { noOpener } from "../support/recorded-opener.ts";

it("the demo workspace is healthy: docs are served, and slipway measures usage", async () => {
  await buildAgent();
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = { SLIPWAY_POSTGRES_URL: database.url, SLIPWAY_PROCESS_DRIVER: "" };
  const server = opened.use(
    await startServerProcess({ dataDir, port: 0, demo: true, environment }),
  );
  expect(server.output()).toContain("demo is running");
  const admin = await logInAsAdmin(server.url);
  const slipway = async (line: string): Promise<string> => {
    const terminal = memoryTerminal();
    const code = await runCommandLine(commandTable, line.split(" "), {
      terminal,
      environment: {
        CODER_CONFIG_DIR: join(dataDir, "config"),
        CODER_URL: server.url,
        CODER_SESSION_TOKEN: admin.headers["Coder-Session-Token"],
      },
      clock: systemClock,
      signal: new AbortController().signal,
      opener: noOpener,
      interruption: {
        interrupted: Promise.withResolvers<"SIGINT">().promise,
        forced: new AbortController().signal,
      },
    });
    expect({ code, err: terminal.errText() }).toMatchObject({ code: 0 });
    return terminal.outText();
  };
  await slipway("create second --template demo --parameter size=small --parameter greeting=hello");
  await vi.waitFor(async () => {
    const shown = await slipway("show second");
    expect(shown).toMatch(/docs +healthy +owner +http:\/\/\S+\/@admin\/second\.\w+\/apps\/docs\//);
    expect(shown).toMatch(/Memory +[\d.]+\/[\d.]+ GiB/);
    expect(shown).toMatch(/Load +[\d.]+/);
    expect(shown).toMatch(/Disk +\d+%/);
  }, 40_000);
  await vi.waitFor(async () => expect(await slipway("show demo")).toMatch(/docs +healthy/), 40_000);
  // The administrator has no full name.
  const author = await slipway(
    "ssh second -- git init -q r && cd r && git commit -q --allow-empty -m first && git log --format=%an:%ae:%cn",
  );
  expect(author).toBe("admin:admin@localhost:admin\n");
  const port = await slipway("ssh second -- echo $DOCS_PORT");
  const page = await fetch(`http://localhost:${port.trim()}`);
  expect(await page.text()).toBe("<h1>Docs of second</h1>\n");
});
