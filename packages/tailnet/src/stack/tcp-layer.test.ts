import { expect, it } from "vitest";

import {
  clock,
  connectPair,
  openAlone,
  openPair,
  openStack,
  ours,
  readAll,
  signal,
  theirs,
  turn,
} from "../../tests/support/open-stack.ts";
import type { NetworkStack } from "./network-stack.ts";

it("carries bytes both ways, and ends each half by itself", async () => {
  const [stream, accepted] = await connectPair(...openPair());
  expect(accepted.remote).toEqual(stream.local);
  const upload = Buffer.alloc(2_000_000, "up");
  const download = Buffer.alloc(300_000, "down");
  const sent = stream.write(upload, signal).then(() => stream.finish());
  expect(upload.equals(await readAll(accepted))).toBe(true);
  await sent;
  const answered = accepted.write(download, signal).then(() => accepted.finish());
  expect(download.equals(await readAll(stream))).toBe(true);
  await answered;
  await Promise.all([stream.closed, accepted.closed]);
});

it("connects anew from a port that the peer still waits on for old segments", async () => {
  // Each number is smaller than the previous one, and all lead to the same port.
  let next = 0xffff_c000;
  const decreasing = (): number => (next -= 0x1000_0000);
  const client: NetworkStack = openStack(ours, (packets) => server.receive(packets), {
    randomUint32: decreasing,
  });
  const server: NetworkStack = openStack(theirs, (packets) => client.receive(packets));
  const ports: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const [stream, accepted] = await connectPair(client, server);
    ports.push(stream.local.port);
    accepted.finish();
    await readAll(stream);
    stream.finish();
    await Promise.all([stream.closed, readAll(accepted)]);
    await clock.advance(2);
  }
  expect(new Set(ports).size).toBe(1);
});

it("refuses a connection to a port without a listener", async () => {
  const [client] = openPair();
  await expect(client.connect({ address: theirs, port: 81 }, { signal })).rejects.toMatchObject({
    code: "refused",
  });
});

it("gives up to connect when the signal does", async () => {
  const { stack, sent } = openAlone();
  const controller = new AbortController();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal: controller.signal });
  await turn();
  expect(sent).toHaveLength(1);
  controller.abort(new Error("enough"));
  await expect(connecting).rejects.toThrow("enough");
  expect(stack.connections).toBe(0);
});

it("repeats a SYN by its clock", async () => {
  const { stack, sent } = openAlone();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal });
  connecting.catch(() => undefined);
  await turn();
  await clock.advance(1000);
  await turn();
  expect(sent).toHaveLength(2);
});

it("does not read more than the buffer before the application does, and then all", async () => {
  const [stream, accepted] = await connectPair(
    ...openPair({ tcp: { maxReceiveBytes: 10_000, maxSendBytes: 10_000 } }),
  );
  let isDone = false;
  const writing = stream.write(new Uint8Array(100_000), signal).then(() => {
    isDone = true;
    stream.finish();
  });
  await clock.advance(1000);
  expect(isDone).toBe(false);
  const reading = readAll(accepted);
  for (let count = 0; count < 200; count += 1) await clock.advance(10);
  await writing;
  expect((await reading).length).toBe(100_000);
});

it("fails a reader and a writer when the peer resets", async () => {
  const [stream, accepted] = await connectPair(...openPair());
  const reading = stream.read(signal);
  accepted.abort();
  await expect(reading).rejects.toMatchObject({ code: "reset" });
  await expect(stream.write(Uint8Array.of(1), signal)).rejects.toMatchObject({ code: "reset" });
});

it("ends the connections with one peer, and no others", async () => {
  const pair = openPair();
  const [, accepted] = await connectPair(...pair);
  const [here, there] = pair;
  there.endConnections(new Uint8Array(16).fill(7));
  await turn();
  expect([here.connections, there.connections]).toEqual([1, 1]);
  const reading = accepted.read(signal);
  there.endConnections(accepted.remote.address);
  await expect(reading).rejects.toMatchObject({ code: "aborted" });
  await turn();
  expect([here.connections, there.connections]).toEqual([0, 0]);
});

it("refuses a write after the end", async () => {
  const [stream] = await connectPair(...openPair());
  stream.finish();
  await expect(stream.write(Uint8Array.of(1), signal)).rejects.toMatchObject({
    code: "stream-finished",
  });
});

it("asks before it answers a SYN to another port", async () => {
  const [client, server] = openPair();
  const asked: number[] = [];
  server.forwardTcp((request) => {
    asked.push(request.local.port);
    setImmediate(() => {
      if (request.local.port === 1000) request.refuse();
      else
        void request
          .accept()
          ?.write(Buffer.from("hello"), signal)
          .catch(() => undefined);
    });
  });
  await expect(client.connect({ address: theirs, port: 1000 }, { signal })).rejects.toMatchObject({
    code: "refused",
  });
  const stream = await client.connect({ address: theirs, port: 1001 }, { signal });
  expect(Buffer.from((await stream.read(signal)) ?? []).toString()).toBe("hello");
  expect(asked).toEqual([1000, 1001]);
});

it("listens once on a port, and again after the listener was closed", () => {
  const { stack } = openAlone();
  const listener = stack.listen(80);
  expect(() => stack.listen(80)).toThrow(expect.objectContaining({ code: "port-in-use" }));
  listener.close();
  stack.listen(80);
});
