import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

import { afterEach, expect, it } from "vitest";

import { type AcceptLanes, addressesOf, openAcceptLanes, sharedAddress } from "./accept-lanes.ts";

const host = "127.0.0.1";
const clients: Socket[] = [];
let server: Server;
let lanes: AcceptLanes;

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  server.close();
  await lanes.close();
});

async function open(hosts: readonly string[] = [host]): Promise<number> {
  server = createServer((_request, response) => response.end("answer"));
  server.listen({ ...sharedAddress, host: hosts[0], port: 0 });
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  lanes = await openAcceptLanes(server, hosts, { port, backlog: 512 });
  return port;
}

function connectTo(port: number, to = host): Socket {
  const client = connect(port, to);
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}

it.runIf(process.platform === "linux")("accepts several connections in a turn", async () => {
  const port = await open();
  const accepted: Socket[] = [];
  server.on("connection", (socket: Socket) => accepted.push(socket));
  for (let client = 0; client < 100; client += 1) connectTo(port);
  let turns = 0;
  while (accepted.length < 100) {
    await nextTurn();
    turns += 1;
  }
  // About 100 turns with one socket; with eight, a few of them may get most of the connections.
  expect(turns).toBeLessThan(60);
});

it("answers whatever socket has accepted the connection, on every address", async () => {
  const port = await open(["127.0.0.1", "127.0.0.2"]);
  for (const address of ["127.0.0.1", "127.0.0.2"]) {
    for (let count = 0; count < 20; count += 1) {
      const client = connectTo(port, address);
      client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      const [answer]: readonly unknown[] = await once(client, "data");
      expect(String(answer)).toMatch(/^HTTP\/1\.1 200 [^]*answer$/);
    }
  }
});

it("accepts nothing more once it is closed", async () => {
  const port = await open();
  server.close();
  await lanes.close();
  await expect(once(connectTo(port), "connect")).rejects.toThrow(/ECONNREFUSED/);
});

it("leaves out a further address that cannot be had", async () => {
  const port = await open(["127.0.0.1", "192.0.2.1"]);
  const client = connectTo(port);
  await once(client, "connect");
});

it("lists the addresses of a name, and an address as it is", async () => {
  expect(await addressesOf({ host: "0.0.0.0" })).toEqual(["0.0.0.0"]);
  expect(await addressesOf({ host: "localhost" })).toContain("127.0.0.1");
  await expect(addressesOf({ host: "nobody.invalid" })).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
});
