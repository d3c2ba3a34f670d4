import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

import { systemClock } from "@slipway/runtime";
import { afterEach, beforeEach } from "vitest";

import { runCommandLine } from "../../src/command/run-command-line.ts";
import { commandTable } from "../../src/gen/command-table.ts";
import { type MemoryTerminal, memoryTerminal } from "./memory-terminal.ts";
import { noOpener } from "./recorded-opener.ts";

/** A response to one kind of request. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The server's response for resources that are hidden from a user or do not exist. */
export const notVisible: Answer = {
  status: 404,
  body: { message: "Resource not found or you do not have access to this resource" },
};

interface CommandResult {
  readonly code: number;
  readonly terminal: MemoryTerminal;
}

/** A server with fixed answers, and the command line with its own configuration directory; new for each test. */
export class AnsweringServer {
  /** The answers by method and path, such as `GET /api/v2/users/me`; all others are 404. */
  answers: ReadonlyMap<string, Answer> = new Map();
  /** The requests so far, by method and path. */
  readonly requests: string[] = [];
  /** The last body of each kind of request. */
  readonly bodies = new Map<string, unknown>();
  url = "";
  directory = "";
  #server: Server | undefined;

  /** Opens it before each test of the file, and closes it after. */
  static forEachTest(): AnsweringServer {
    const server = new AnsweringServer();
    beforeEach(() => server.#open());
    afterEach(async () => {
      await server.close();
      await rm(server.directory, { recursive: true });
    });
    return server;
  }

  /** Stops answering. Idempotent. */
  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => void this.#server?.close(resolve));
  }

  /** Runs a command line whose words have no spaces; `replies` are those to its prompts. */
  async run(line: string, replies?: readonly (string | boolean)[]): Promise<CommandResult> {
    const terminal = memoryTerminal(replies);
    const never = Promise.withResolvers<"SIGINT">().promise;
    const code = await runCommandLine(commandTable, line.split(" "), {
      terminal,
      environment: { CODER_CONFIG_DIR: this.directory },
      clock: systemClock,
      signal: new AbortController().signal,
      opener: noOpener,
      interruption: { interrupted: never, forced: new AbortController().signal },
    });
    return { code, terminal };
  }

  async #open(): Promise<void> {
    this.answers = new Map();
    this.requests.length = 0;
    this.bodies.clear();
    this.directory = await mkdtemp(join(tmpdir(), "slipway-config-"));
    const server = createServer((request, response) => {
      const [path] = (request.url ?? "").split("?");
      const kind = `${request.method} ${path}`;
      this.requests.push(kind);
      void readText(request).then((body) => {
        this.bodies.set(kind, body === "" ? undefined : JSON.parse(body));
        answer(response, this.answers.get(kind));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    this.url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  }
}

function answer(
  response: ServerResponse,
  { status, body }: Answer = { status: 404, body: { message: "none" } },
): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(body === undefined ? "" : JSON.stringify(body));
}
