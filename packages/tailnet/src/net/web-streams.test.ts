import { afterEach, expect, it } from "vitest";

import { type ConnectionPair, openConnectionPair } from "../../tests/support/connection-pair.ts";
import { toWebStreams } from "./web-streams.ts";

const opened: ConnectionPair[] = [];

afterEach(async () => {
  for (const pair of opened.splice(0)) await pair[Symbol.asyncDispose]();
});

async function openPair(): Promise<ConnectionPair> {
  const pair = await openConnectionPair();
  opened.push(pair);
  return pair;
}

it("carries bytes both ways, and ends each direction by itself", async () => {
  const pair = await openPair();
  const [client, server] = [toWebStreams(pair.client), toWebStreams(pair.server)];
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const writer = client.writable.getWriter();
  const writing = writer.write(sent).then(() => writer.close());
  expect(await new Response(server.readable).bytes()).toEqual(sent);
  await writing;
  const answer = server.writable.getWriter();
  await answer.write(new TextEncoder().encode("the answer"));
  await answer.close();
  expect(await new Response(client.readable).text()).toBe("the answer");
  await Promise.all([pair.client.closed, pair.server.closed]);
});

it("resets the connection when a direction is given up", async () => {
  const pair = await openPair();
  const [client, server] = [toWebStreams(pair.client), toWebStreams(pair.server)];
  const reading = server.readable.getReader().read();
  await client.readable.cancel("enough");
  await expect(reading).rejects.toMatchObject({ code: "reset" });
  await expect(client.writable.getWriter().write(new Uint8Array(1))).rejects.toThrow("aborted");
});
