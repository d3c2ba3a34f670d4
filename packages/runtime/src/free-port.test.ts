import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

import { expect, it, onTestFinished } from "vitest";

import { findFreePort } from "./free-port.ts";

async function listen(port: number, host: string): Promise<number> {
  const server: Server = createServer().listen(port, host);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return (server.address() as AddressInfo).port;
}

it.each(["127.0.0.1", "0.0.0.0"])("passes over a port that is taken on %s", async (host) => {
  const taken = await listen(0, host);
  const found = await findFreePort(taken);
  expect(found).toBeGreaterThan(taken);
  expect(await listen(found, "127.0.0.1")).toBe(found);
});

it("takes the first one if it is free", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  expect(await findFreePort(port)).toBe(port);
});
