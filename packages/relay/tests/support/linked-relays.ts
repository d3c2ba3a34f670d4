import { onTestFinished } from "vitest";

import type { Relay } from "../../src/relay.ts";
import type { RelaySession, RelayTransport } from "../../src/transport.ts";

/** The end that receives the bytes. */
type Side = "client" | "server";

/** Returns replacements for a chunk: one, several or none. */
type Tamper = (chunk: Uint8Array, to: Side) => readonly Uint8Array[];

interface LinkOptions {
  /** The id of the relay that `from` expects (default: that of `to`). */
  readonly serverId?: string;
  readonly tamper?: Tamper;
}

/** Links `from` to `to` over a pipe; returns a function that cuts it. */
export function linkRelays(
  from: Relay,
  to: Relay,
  { serverId = to.id, tamper = (chunk) => [chunk] }: LinkOptions = {},
): () => void {
  const ends: Record<Side, RelaySession | undefined> = { client: undefined, server: undefined };
  const cut = (): void => {
    ends.client?.closed();
    ends.server?.closed();
  };
  const toward = (side: Side): RelayTransport => ({
    send: (pieces, sent) => {
      const copies = pieces.map((piece) => Uint8Array.from(piece));
      queueMicrotask(() => {
        for (const copy of copies) {
          for (const chunk of tamper(copy, side)) ends[side]?.receive(Uint8Array.from(chunk));
        }
        sent();
      });
    },
    pause: () => undefined,
    resume: () => undefined,
    end: cut,
    destroy: cut,
  });
  ends.client = from.link(toward("server"), serverId);
  ends.server = to.accept(toward("client"));
  onTestFinished(cut);
  return cut;
}
