import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import {
  logInAsAdmin,
  openTestDatabase,
  type ServerProcess,
  startServerProcess,
} from "@slipway/testkit";
import { inject } from "vitest";

import type { ProcessNeeds } from "../../src/command/needs.ts";
import { runCommandLine } from "../../src/command/run-command-line.ts";
import type { UrlOpener } from "../../src/command/url-opener.ts";
import { commandTable } from "../../src/gen/command-table.ts";
import { type Answer, type MemoryTerminal, memoryTerminal } from "./memory-terminal.ts";
import { noOpener } from "./recorded-opener.ts";

/** The exit code and output of a command. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A server with its own database, and commands that talk to it as its administrator. */
export interface CommandServer extends AsyncDisposable {
  /** A directory for this test alone. */
  readonly directory: string;
  readonly server: ServerProcess;
  readonly admin: Awaited<ReturnType<typeof logInAsAdmin>>;
  /** Runs a command; `@/` stands for the directory. With replies the terminal is interactive; `input` is its stdin. */
  slipway(
    line: string,
    replies?: readonly Answer[],
    input?: string,
    environment?: NodeJS.ProcessEnv,
    opener?: UrlOpener,
  ): Promise<CommandResult>;
  /** The environment of commands, unless a test overrides it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Returns the needs of a command that uses this terminal. */
  needs(terminal: MemoryTerminal): ProcessNeeds;
}

/** Opens them; `settings` are the server's, by variable. */
export async function openCommandServer(
  settings: Readonly<Record<string, string>> = {},
): Promise<CommandServer> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-command-"));
  // If the server is root, workspaces run as separate users, whose homes are below this directory.
  await chmod(directory, 0o711);
  opening.defer(() => rm(directory, { recursive: true }));
  const database = opening.use(await openTestDatabase(inject("postgresUrl")));
  const server = opening.use(
    await startServerProcess({
      dataDir: join(directory, "data"),
      port: 0,
      environment: { SLIPWAY_POSTGRES_URL: database.url, ...settings },
    }),
  );
  const admin = await logInAsAdmin(server.url);
  const opened = opening.move();
  const environment = {
    CODER_CONFIG_DIR: join(directory, "config"),
    CODER_URL: server.url,
    CODER_SESSION_TOKEN: admin.headers["Coder-Session-Token"],
  };
  const needs = (terminal: MemoryTerminal): ProcessNeeds => ({
    terminal,
    environment,
    clock: systemClock,
    signal: new AbortController().signal,
    opener: noOpener,
    interruption: {
      interrupted: Promise.withResolvers<"SIGINT">().promise,
      forced: new AbortController().signal,
    },
  });
  return {
    directory,
    server,
    admin,
    needs,
    environment,
    async slipway(line, replies, input = "", ownEnvironment = environment, opener = noOpener) {
      const terminal = memoryTerminal(replies, { input });
      const words = line.replaceAll("@/", `${directory}/`).split(" ");
      const code = await runCommandLine(commandTable, words, {
        ...needs(terminal),
        environment: ownEnvironment,
        opener,
      });
      return { code, out: terminal.outText(), err: terminal.errText() };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
