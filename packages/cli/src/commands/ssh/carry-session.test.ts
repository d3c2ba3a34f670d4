import { createHash, randomBytes } from "node:crypto";
import { PassThrough, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";

import { afterEach, beforeEach, expect, it } from "vitest";

import { openSshServer, type SshServer } from "../../../tests/support/ssh-server.ts";
import type { RawTerminal } from "../../terminal/terminal.ts";
import { carrySession, forwardSignal } from "./carry-session.ts";
import { type Session, SshConnection } from "./ssh-connection.ts";

const never = new AbortController().signal;

let server: SshServer;
let resources: AsyncDisposableStack;
beforeEach(async () => {
  resources = new AsyncDisposableStack();
  server = resources.use(await openSshServer());
});
afterEach(() => resources.disposeAsync());

interface Streams extends RawTerminal {
  readonly input: PassThrough;
  readonly outText: () => Promise<string>;
  readonly errText: () => Promise<string>;
}

function streams(output: Writable = new PassThrough()): Streams {
  const input = new PassThrough();
  const error = new PassThrough();
  const nothing = { [Symbol.dispose]: () => undefined };
  const textOf = async (stream: Writable): Promise<string> => {
    stream.end();
    return (await buffer(readableOf(stream))).toString("latin1");
  };
  return {
    input,
    output,
    error,
    outText: () => textOf(output),
    errText: () => textOf(error),
    isInteractive: false,
    size: () => undefined,
    enterRawMode: () => nothing,
    onResize: () => nothing,
  };
}

/** The end of a stream, from which a test reads the written data. */
function readableOf(stream: Writable): PassThrough {
  if (stream instanceof PassThrough) return stream;
  throw new TypeError("its text is not kept");
}

async function connect(): Promise<SshConnection> {
  const options = { username: "coder", agent: undefined };
  return resources.use(await SshConnection.open(await server.dial(), options, never));
}

async function start(command: string | undefined, environment = {}): Promise<Session> {
  const connection = await connect();
  return connection.start({ command, pty: undefined, environment }, never);
}

function carry(session: Session, raw: RawTerminal, signal = never): Promise<number> {
  return carrySession(session, raw, { passOn: undefined, signal });
}

it.each([
  ["true", 0],
  ["exit 7", 7],
  ["exit 255", 255],
  ["kill -KILL $$", 137],
  ["kill -TERM $$", 143],
])("exits as the command %s does", async (command, code) => {
  expect(await carry(await start(command), streams())).toBe(code);
});

it("keeps stdout and stderr apart, and every byte of both", async () => {
  const raw = streams();
  const code = await carry(
    await start("printf 'out\\000\\377\\r\\n'; printf 'err\\033[0m' >&2"),
    raw,
  );
  expect(code).toBe(0);
  expect(await raw.outText()).toBe("out\u0000\u00FF\r\n");
  expect(await raw.errText()).toBe("err\u001B[0m");
});

it("passes environment variables on", async () => {
  const raw = streams();
  await carry(await start("echo $GREETING", { GREETING: "hello there" }), raw);
  expect(await raw.outText()).toBe("hello there\n");
});

it("runs the commands on stdin without a command", async () => {
  const raw = streams();
  const code = carry(await start(undefined), raw);
  raw.input.end("echo from stdin; exit 3\n");
  expect(await code).toBe(3);
  expect(await raw.outText()).toBe("from stdin\n");
});

it("carries megabytes both ways without a change", async () => {
  const raw = streams();
  const sent = randomBytes(5_000_000);
  const received = buffer(readableOf(raw.output));
  const code = carry(await start("cat"), raw);
  raw.input.end(sent);
  expect(await code).toBe(0);
  raw.output.end();
  const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
  expect(hash(await received)).toBe(hash(sent));
});

it("writes everything before it ends, however slow the reader is", async () => {
  let written = 0;
  const slow = new Writable({
    highWaterMark: 1024,
    write(chunk: Buffer, _, done) {
      written += chunk.length;
      void turn().then(() => done());
    },
  });
  expect(await carry(await start("head -c 3000000 /dev/zero; exit 4"), streams(slow))).toBe(4);
  expect(written).toBe(3_000_000);
});

it("does not read on for a reader that stands still", async () => {
  const stuck = new Writable({ highWaterMark: 1, write: () => undefined });
  const ended = new AbortController();
  const session = await start("cat /dev/zero");
  const code = carry(session, streams(stuck), ended.signal);
  const isStill = async (): Promise<number> => {
    const before = session.channel.readableLength;
    for (let turns = 0; turns < 200; turns += 1) await turn();
    return session.channel.readableLength - before;
  };
  await expect.poll(() => session.channel.readableLength).toBeGreaterThan(1_000_000);
  await expect.poll(isStill).toBe(0);
  expect(session.channel.readableLength).toBeLessThanOrEqual(4 * 1024 * 1024);
  ended.abort(new Error("enough"));
  await expect(code).rejects.toThrow("enough");
});

it("forwards signals, even after the end of stdin", async () => {
  const raw = streams();
  const session = await start(
    "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done",
  );
  raw.input.end();
  const code = carry(session, raw);
  await expect.poll(() => readableOf(raw.output).readableLength).toBeGreaterThan(0);
  forwardSignal(session, "SIGINT");
  expect(await code).toBe(5);
  expect(await raw.outText()).toBe("ready\ncaught\n");
});

it("reports a lost connection with the exit code of OpenSSH", async () => {
  const raw = streams();
  const code = carry(await start("echo up; sleep 60"), raw);
  await expect.poll(() => readableOf(raw.output).readableLength).toBeGreaterThan(0);
  server.cut();
  await expect(code).rejects.toMatchObject({
    message: "the connection to the workspace was lost",
    exitCode: 255,
  });
});

it("takes a server that ends its side only for a lost connection", async () => {
  const raw = streams();
  const code = carry(await start("echo up; sleep 60"), raw);
  await expect.poll(() => readableOf(raw.output).readableLength).toBeGreaterThan(0);
  server.end();
  await expect(code).rejects.toMatchObject({ exitCode: 255 });
});

it("reports a server that does not speak SSH", async () => {
  const socket = await server.dial();
  const connecting = SshConnection.open(socket, { username: "coder", agent: undefined }, never);
  socket.destroy();
  await expect(connecting).rejects.toThrow("SSH server refused the connection");
});
