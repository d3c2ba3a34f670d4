import type { PingAnswer } from "@slipway/tailnet/path/path-action";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { connectionRoutes, type ConnectionRoutesOptions } from "./connection-routes.ts";

const relayed: PingAnswer = { via: { kind: "relay", regionId: 999 }, latencyMs: 12 };
const direct: PingAnswer = {
  via: { kind: "udp", address: { address: "192.0.2.1", port: 4 } },
  latencyMs: 3,
};

/** Asks for the list of some sessions; `ping` answers for their addresses. */
async function list(
  ips: readonly string[],
  ping: ConnectionRoutesOptions["ping"],
): Promise<readonly unknown[]> {
  const sessions = ips.map((ip, at) => ({ id: String(at), type: "ssh", ip }) as const);
  const clock = createFakeClock();
  const [route] = connectionRoutes({ sessions: { list: () => sessions }, ping, clock });
  if (route?.kind !== "plain") throw new Error("there is no such route");
  const asked = route.handle({
    params: {},
    query: new URLSearchParams(),
    headers: {},
    signal: new AbortController().signal,
  });
  await clock.advance(2_000);
  const { content } = await asked;
  if (content.kind !== "json" || !("connections" in content.value)) throw new Error("no list");
  const { connections } = content.value;
  return Array.isArray(connections) ? connections : [];
}

it("lists each session with the path to its client", async () => {
  const answers: Record<string, PingAnswer> = { "fd7a::1": direct, "fd7a::2": relayed };
  expect(await list(["fd7a::1", "fd7a::2", ""], async (address) => answers[address])).toEqual([
    { id: "0", type: "ssh", ip: "fd7a::1", path: { kind: "direct", latency_ms: 3 } },
    {
      id: "1",
      type: "ssh",
      ip: "fd7a::2",
      path: { kind: "relay", region_id: 999, latency_ms: 12 },
    },
    { id: "2", type: "ssh", ip: "", path: undefined },
  ]);
});

it("pings each client once, and does not wait for one that is silent", async () => {
  const asked: string[] = [];
  const found = await list(["fd7a::1", "fd7a::1"], (address, signal) => {
    asked.push(address);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  });
  expect(asked).toEqual(["fd7a::1"]);
  expect(found).toMatchObject([{ path: undefined }, { path: undefined }]);
});

it("lists the newest 256 sessions, and pings the newest 64 clients", async () => {
  let pings = 0;
  const found = await list(
    Array.from({ length: 300 }, (_, at) => `fd7a::${at.toString(16)}`),
    async () => {
      pings += 1;
      return direct;
    },
  );
  expect(found).toHaveLength(256);
  expect(found.at(-1)).toMatchObject({ id: "299", path: { kind: "direct" } });
  expect(found[0]).toMatchObject({ id: "44", path: undefined });
  expect(pings).toBe(64);
});
