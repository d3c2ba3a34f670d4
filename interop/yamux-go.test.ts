import { execFileSync, spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { joinBytes } from "@slipway/wire/bytes/join";
import type { YamuxEvent } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";
import { afterAll, beforeAll, expect, it } from "vitest";

/* Our session against hashicorp/yamux v0.1.2 over stdin and stdout; see yamux-go/main.go for the other side. */

const streamCount = 5;
/** The size of a stream, more than four windows. */
const streamBytes = 1_200_000;

const directory = mkdtempSync(join(tmpdir(), "slipway-yamux-go-"));
const program = join(directory, "yamux-go");

beforeAll(() => {
  const cwd = join(import.meta.dirname, "yamux-go");
  execFileSync("go", ["build", "-o", program, "."], {
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
  });
}, 300_000);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** The session on the child's pipes; the test owns both. */
class Peer {
  readonly session: YamuxSession;
  readonly events: YamuxEvent[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  #stderr = "";

  constructor(role: "client" | "server", args: readonly string[]) {
    this.session = new YamuxSession(role);
    this.#child = spawn(program, args);
    this.#child.stderr.on("data", (text: Buffer) => (this.#stderr += text.toString()));
  }

  /** Handles events with `onEvent` until the child ends its side or `isDone`; returns its stderr. */
  async run(onEvent: (event: YamuxEvent) => void, isDone: () => boolean): Promise<string> {
    const exited = new Promise((resolve) => this.#child.once("close", resolve));
    this.flush();
    for await (const chunk of this.#child.stdout) {
      for (const event of this.session.receive(chunk, Date.now())) onEvent(event);
      this.flush();
      for (const event of this.session.takeEvents()) onEvent(event);
      if (isDone()) break;
    }
    this.#child.stdin.end();
    await exited;
    return this.#stderr;
  }

  flush(): void {
    const bytes = this.session.takeOutput();
    if (bytes !== undefined) this.#child.stdin.write(bytes);
  }
}

function content(seed: number): Uint8Array {
  return Uint8Array.from({ length: streamBytes }, (_, at) => at * 7 + seed);
}

it("as a client gets its bytes back from a stock server", async () => {
  const peer = new Peer("client", ["server"]);
  const { session } = peer;
  const received = new Map<number, Uint8Array[]>();
  const counts = { accepted: 0, finished: 0, closed: 0, pong: 0 };
  const sent = new Map<number, Uint8Array>();
  const ping = session.ping(0);
  for (let count = 0; count < streamCount; count += 1) {
    const id = session.open(Date.now());
    const bytes = content(count);
    sent.set(id, bytes);
    received.set(id, []);
    session.write(id, bytes);
    session.finish(id);
  }
  const stderr = await peer.run(
    (event) => {
      if (event.type === "data") {
        received.get(event.streamId)?.push(event.bytes);
        session.consume(event.streamId, event.bytes.length);
      } else if (event.type === "pong") {
        counts.pong += event.id === ping ? 1 : 0;
      } else if (
        event.type === "accepted" ||
        event.type === "finished" ||
        event.type === "closed"
      ) {
        counts[event.type] += 1;
      }
    },
    () => counts.closed === streamCount,
  );
  expect(stderr).toBe("");
  expect(counts).toEqual({ accepted: 5, finished: 5, closed: 5, pong: 1 });
  for (const [id, bytes] of sent) {
    expect(Buffer.compare(joinBytes(received.get(id) ?? []), bytes)).toBe(0);
  }
}, 60_000);

it("as a server echoes what a stock client sends, after its half-close too", async () => {
  const peer = new Peer("server", ["client", String(streamCount), String(streamBytes)]);
  const { session } = peer;
  const counts = { opened: 0, finished: 0, closed: 0, pong: 0 };
  const ping = session.ping(0);
  const held = new Map<number, Uint8Array[]>();
  const stderr = await peer.run(
    (event) => {
      switch (event.type) {
        case "opened":
          counts.opened += 1;
          held.set(event.streamId, []);
          return;
        case "data":
          held.get(event.streamId)?.push(Uint8Array.from(event.bytes));
          session.consume(event.streamId, event.bytes.length);
          return;
        case "finished":
          counts.finished += 1;
          // All of it is sent only now: the peer has closed its direction.
          session.write(event.streamId, joinBytes(held.get(event.streamId) ?? []));
          session.finish(event.streamId);
          return;
        case "closed":
          counts.closed += 1;
          return;
        case "pong":
          counts.pong += event.id === ping ? 1 : 0;
          return;
        case "accepted":
        case "reset":
        case "writable":
        case "go-away":
          throw new Error(`unexpected ${event.type}`);
      }
    },
    () => false,
  );
  expect(stderr).toBe("ok\n");
  expect(counts).toEqual({ opened: 5, finished: 5, closed: 5, pong: 1 });
}, 60_000);

it("a stock client puts up with a lone FIN for a stream that it ended at once", async () => {
  const peer = new Peer("server", ["client", "3", "0"]);
  const { session } = peer;
  let closed = 0;
  const stderr = await peer.run(
    (event) => {
      if (event.type === "finished") session.finish(event.streamId);
      if (event.type === "closed") closed += 1;
    },
    () => false,
  );
  expect(stderr).toBe("ok\n");
  expect(closed).toBe(3);
}, 60_000);
