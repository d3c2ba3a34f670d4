import { randomUUID } from "node:crypto";

import { expect, onTestFinished } from "vitest";
import { WebSocket } from "ws";

export type TerminalQuery = Readonly<Record<string, string>>;

interface ViewOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly agentId: string;
  readonly query: TerminalQuery;
  /** Treats text messages as pulses (default: as faults). */
  readonly takesText?: boolean;
}

/** A viewer of a terminal, and everything that it has received. */
export class TerminalViewer {
  readonly socket: WebSocket;
  readonly ended: Promise<readonly [number, string]>;
  seen = "";

  constructor({ url, headers, agentId, query, takesText = false }: ViewOptions) {
    const parameters = new URLSearchParams({ reconnect: randomUUID(), ...query });
    const address = `${url.replace("http", "ws")}/api/v2/workspaceagents/${agentId}/pty`;
    this.socket = new WebSocket(`${address}?${parameters.toString()}`, { headers });
    this.ended = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve([code, String(reason)]));
    });
    // The response has more details about a refused upgrade.
    this.socket.on("error", () => undefined);
    this.socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary && takesText) return;
      if (!isBinary) throw new Error("a text message, wanted a binary one");
      this.seen += data.toString();
    });
    onTestFinished(async () => {
      this.socket.terminate();
      await this.ended;
    });
  }

  send(message: object): void {
    this.socket.send(Buffer.from(JSON.stringify(message)));
  }

  /** Types a line, and waits for its output. */
  async type(line: string, wanted: RegExp): Promise<void> {
    this.send({ data: `${line}\r` });
    await this.sees(wanted);
  }

  async sees(wanted: RegExp): Promise<void> {
    await expect.poll(() => this.seen, { timeout: 20_000 }).toMatch(wanted);
  }
}
