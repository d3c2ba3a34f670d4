import { createFakeClock } from "@slipway/testkit";
import {
  encodeTerminalFrame,
  encodeTerminalGreeting,
} from "@slipway/wire/services/terminal-frames";
import { expect, it, onTestFinished } from "vitest";

import { ApiClient } from "../http/client.ts";
import { TerminalClient } from "./terminal-client.ts";
import type { OpenTerminalLink } from "./terminal-link.ts";

/** Runs a terminal whose connections print something and last `lifetimeMs`; resolves to the number of connections in `forMs`. */
async function countConnections(lifetimeMs: number, forMs: number): Promise<number> {
  const clock = createFakeClock();
  let connections = 0;
  const openLink: OpenTerminalLink = async ({ Viewer: viewer = "" }, signal) => {
    connections += 1;
    return {
      end: "the server ended it",
      send: () => undefined,
      close: () => undefined,
      async *[Symbol.asyncIterator]() {
        yield encodeTerminalGreeting(viewer);
        yield encodeTerminalFrame({ type: "attached", position: 0, taken: 0 });
        await clock.sleep(lifetimeMs, signal).catch(() => undefined);
      },
    };
  };
  const terminal = new TerminalClient({
    client: new ApiClient({ serverUrl: "http://127.0.0.1", token: "t" }),
    agentId: "agent",
    size: { columns: 80, rows: 24 },
    openLink,
    clock,
    signal: new AbortController().signal,
  });
  onTestFinished(() => terminal.close());
  void (async () => {
    for await (const change of terminal) expect(change.type).not.toBe("ended");
  })();
  await clock.advance(forMs);
  return connections;
}

it("backs off from a server that ends each connection at once", async () => {
  expect(await countConnections(10, 60_000)).toBeLessThan(20);
});

it("reconnects at once after a connection that lasted", async () => {
  expect(await countConnections(10_000, 101_500)).toBe(11);
});
