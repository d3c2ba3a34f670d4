import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

import { systemClock } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { agentUdpOf, readAgentUdp } from "./agent-netcheck.ts";

const never = new AbortController().signal;

/** Serves like an agent's HTTP API, and returns a dialer of its ports. */
async function openAgent(answer: RequestListener) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const dialed: number[] = [];
  const dial = async (remotePort: number): Promise<Duplex> => {
    dialed.push(remotePort);
    return connect(port, "127.0.0.1");
  };
  return { dial, dialed };
}

it.each([
  [{ WorkingUDP: false, MappingVariesByDestIP: null }, "blocked"],
  [{ WorkingUDP: true, MappingVariesByDestIP: null }, "open"],
  [{ WorkingUDP: true, MappingVariesByDestIP: false }, "easy NAT"],
  [{ WorkingUDP: true, MappingVariesByDestIP: true }, "hard NAT"],
  [{ WorkingUDP: null }, undefined],
  [{}, undefined],
  [null, undefined],
])("reads %j as %s", (netInfo, wanted) => {
  expect(agentUdpOf({ severity: "ok", net_info: netInfo })).toBe(wanted);
});

it.each([undefined, null, 7, "text", []])("finds nothing in %j", (report) => {
  expect(agentUdpOf(report)).toBeUndefined();
});

it("asks the agent's HTTP API", async () => {
  const asked: string[] = [];
  const agent = await openAgent((request, response) => {
    asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
    response.end('{"net_info":{"WorkingUDP":true,"MappingVariesByDestIP":true}}');
  });
  expect(await readAgentUdp(agent, { clock: systemClock, signal: never })).toBe("hard NAT");
  expect(agent.dialed).toEqual([4]);
  expect(asked).toEqual(["GET /api/v0/netcheck"]);
});

it.each<[string, RequestListener]>([
  [
    "refuses",
    (_, response) => void response.writeHead(404).end('{"net_info":{"WorkingUDP":true}}'),
  ],
  ["answers no JSON", (_, response) => void response.end("<html>")],
  ["sends without end", (_, response) => void response.write(Buffer.alloc(2 * 1024 * 1024, " "))],
  ["breaks off", (_, response) => void response.destroy()],
])("knows nothing of an agent that %s", async (_, answer) => {
  const agent = await openAgent(answer);
  expect(await readAgentUdp(agent, { clock: systemClock, signal: never })).toBeUndefined();
});

it("waits five seconds for an answer, and ends by its signal", async () => {
  const clock = createFakeClock();
  const silent = await openAgent(() => undefined);
  const asking = readAgentUdp(silent, { clock, signal: never });
  await clock.advance(5_000);
  expect(await asking).toBeUndefined();
  const stop = new AbortController();
  const stopped = readAgentUdp(silent, { clock, signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(stopped).rejects.toThrow("enough");
});
