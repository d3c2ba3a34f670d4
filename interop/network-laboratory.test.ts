import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { LabProgram, type Laboratory, openLaboratory } from "@slipway/testkit/netlab";
import { beforeAll, describe, expect, it } from "vitest";

import { openHttpHost } from "./support/laboratory/http-host.ts";
import { sendWhole } from "./support/laboratory/send-whole.ts";
import { openUdpHost, type UdpHost } from "./support/laboratory/udp-host.ts";

/*
 * The laboratory of namespaces treats packets as its layouts say. `vitest.config.ts` leaves this file out, and says
 * so, where namespaces cannot be created.
 */

const execute = promisify(execFile);
/** An address without a listener. */
const nowhere = "192.0.2.2:9";
const fewEchoes = { count: 5, perMs: 1, patienceMs: 500 };
let lab: Laboratory;

beforeAll(async () => {
  lab = await openLaboratory({
    routers: {
      "home-router": { nat: "endpoint-independent" },
      "cafe-router": { nat: "endpoint-independent" },
      "office-router": { nat: "address-dependent" },
      "bank-firewall": { udp: "blocked" },
      "hotel-proxy": {},
      "narrow-router": { mtu: 1_280, fragments: "blocked" },
    },
    hosts: {
      direct: {},
      narrow: { mtu: 1_280 },
      "narrow-too": { behind: "narrow-router" },
      home: { behind: "home-router" },
      "home-too": { behind: "home-router" },
      cafe: { behind: "cafe-router" },
      office: { behind: "office-router" },
      bank: { behind: "bank-firewall" },
      hotel: { behind: "hotel-proxy" },
      far: { impairment: { rttMs: 20, lossRate: 0 } },
    },
  });
  const source = new URL("./support/laboratory/internet-program.ts", import.meta.url);
  await LabProgram.start({ namespace: lab.internet, source });
  return () => lab[Symbol.asyncDispose]();
});

describe("the address that STUN finds", () => {
  it("is the host's own without a NAT", async () => {
    const host = lab.host("direct");
    const socket = await openUdpHost(host);
    const own = `${host.uplink.address}:${String(socket.port)}`;
    expect(await socket.mapped()).toEqual([own, own]);
  });

  it("is one of the router behind an endpoint-independent NAT, another for each host", async () => {
    const { address } = lab.router("home-router").uplink;
    const sockets = [await openUdpHost(lab.host("home")), await openUdpHost(lab.host("home-too"))];
    const found = await Promise.all(sockets.map((socket) => socket.mapped()));
    for (const mapped of found) {
      expect(mapped).toEqual(mapped.map(() => expect.stringMatching(`^${address}:\\d+$`)));
      expect(new Set(mapped).size).toBe(1);
    }
    expect(new Set(found.flat()).size).toBe(2);
  });

  it("is another of the router for each server behind an address-dependent NAT", async () => {
    const { address } = lab.router("office-router").uplink;
    const mapped = await (await openUdpHost(lab.host("office"))).mapped();
    expect(mapped).toEqual(mapped.map(() => expect.stringMatching(`^${address}:\\d+$`)));
    expect(new Set(mapped).size).toBe(2);
  });

  it("is not found where UDP is blocked, though TCP passes", async () => {
    const bank = lab.host("bank");
    expect(await (await openUdpHost(bank)).mapped()).toEqual([null, null]);
    expect(await (await openHttpHost(bank)).get("/tcp")).toBe("/tcp");
  });
});

describe("two hosts that send to each other's mapped addresses", () => {
  it.concurrent.for([
    ["direct", "narrow", true],
    ["direct", "home", true],
    ["direct", "office", true],
    ["home", "cafe", true],
    ["home", "office", false],
    ["direct", "bank", false],
  ] as const)("%s and %s: %j", async ([one, other, isHeard], { expect: expectHere }) => {
    const left = await openUdpHost(lab.host(one));
    const right = await openUdpHost(lab.host(other));
    const [toRight, toLeft] = await Promise.all([mappedOf(right), mappedOf(left)]);
    const heard = await Promise.all([left.punch(toRight), right.punch(toLeft)]);
    expectHere(heard).toEqual([isHeard, isHeard]);
  });
});

async function mappedOf(socket: UdpHost): Promise<string> {
  const [mapped] = await socket.mapped();
  return mapped ?? nowhere;
}

it("drops UDP from the moment on when a router blocks it, until it allows it", async () => {
  const socket = await openUdpHost(lab.host("hotel"));
  const router = lab.router("hotel-proxy");
  expect(await socket.ping(fewEchoes)).toMatchObject({ received: 5 });
  await router.blockUdp();
  expect(await socket.ping(fewEchoes)).toMatchObject({ received: 0 });
  await router.allowUdp();
  expect(await socket.ping(fewEchoes)).toMatchObject({ received: 5 });
});

it("carries packets of 1,280 bytes and none longer over a narrow link", async () => {
  const headerBytes = 28;
  expect(await sendWhole(lab.host("narrow"), 1_280 - headerBytes)).toBe("1252");
  expect(await sendWhole(lab.host("narrow"), 1_281 - headerBytes)).toBe("Message too long");
  expect(await sendWhole(lab.host("direct"), 1_500 - headerBytes)).toBe("1472");
});

it("drops fragments behind a router that blocks them", async () => {
  const body = "x".repeat(2_000);
  const send = (name: string): Promise<boolean> =>
    openUdpHost(lab.host(name)).then((socket) => socket.echoes(body));
  expect(await send("narrow")).toBe(true);
  expect(await send("narrow-too")).toBe(false);
  expect(await (await openHttpHost(lab.host("narrow-too"))).get(`/${body}`)).toBe(`/${body}`);
});

it("lets WebSockets through a middlebox that refuses to upgrade to DERP", async () => {
  const hotel = await openHttpHost(lab.host("hotel"));
  expect(await hotel.upgrade("DERP")).toBe(101);
  await lab.router("hotel-proxy").interceptHttp("192.0.2.1", 80);
  expect(await hotel.upgrade("DERP")).toBe(403);
  expect(await hotel.echo("hello")).toBe("hello");
  expect(await hotel.get("/path?query")).toBe("/path?query");
});

describe.each(["direct", "far", "home"])("the link of %s", (name) => {
  it("carries nothing while it is cut, and everything once it is restored", async () => {
    const { uplink } = lab.host(name);
    const socket = await openUdpHost(lab.host(name));
    expect(await socket.ping(fewEchoes)).toMatchObject({ received: 5 });
    await uplink.cut();
    expect(await socket.ping(fewEchoes)).toMatchObject({ received: 0 });
    await uplink.restore();
    expect(await socket.ping(fewEchoes)).toMatchObject({ received: 5 });
  });

  it("gets another address", async () => {
    const { uplink } = lab.host(name);
    const socket = await openUdpHost(lab.host(name));
    const before = uplink.address;
    const after = await uplink.changeAddress();
    expect(uplink.address).toBe(after);
    expect(after).not.toBe(before);
    expect(await socket.ping(fewEchoes)).toMatchObject({ received: 5 });
    const { stdout } = await lab.host(name).namespace.run("ip", ["-4", "address"]);
    expect(stdout).toContain(after);
    expect(stdout).not.toContain(before);
  });
});

it("shows another address behind a router that has got one", async () => {
  const socket = await openUdpHost(lab.host("cafe"));
  const { uplink } = lab.router("cafe-router");
  const before = await mappedOf(socket);
  expect(before).toContain(uplink.address);
  const address = await uplink.changeAddress();
  expect(await mappedOf(socket)).toMatch(`${address}:`);
  expect(before).not.toMatch(`${address}:`);
});

describe.each([1, 20, 100])("a link of %d ms", (rttMs) => {
  // Both directions lose packets, so the rate doubles; the bounds are four deviations away, and the seed is fixed.
  it.each([
    [0, 0, 0],
    [0.001, 1, 12],
    [0.01, 15, 65],
  ])("loses %d in each direction", async (lossRate, least, most) => {
    await lab.host("far").uplink.impair({ rttMs, lossRate });
    const socket = await openUdpHost(lab.host("far"));
    const count = 2_000;
    const { received, leastMs } = await socket.ping({
      count,
      perMs: 2,
      patienceMs: 2 * rttMs + 200,
    });
    expect(count - received).toBeGreaterThanOrEqual(least);
    expect(count - received).toBeLessThanOrEqual(most);
    expect(leastMs).toBeGreaterThanOrEqual(rttMs);
    expect(leastMs).toBeLessThan(rttMs + 5);
  });
});

it("removes what a killed process has left, and nothing else", async () => {
  const source = fileURLToPath(new URL("./support/laboratory/killed-program.ts", import.meta.url));
  const killed = execute(process.execPath, ["--conditions=@slipway/source", source]);
  const { stdout } = await killed.then(
    () => expect.unreachable("it has not been killed"),
    (error: { readonly stdout: string }) => error,
  );
  const left = stdout.split("\n").filter(Boolean);
  expect(await readdir("/run/netns")).toEqual(expect.arrayContaining(left));
  await using another = await openLaboratory({ hosts: {} });
  const now = await readdir("/run/netns");
  expect(now.filter((name) => left.includes(name))).toEqual([]);
  expect(now).toEqual(expect.arrayContaining([lab.internet.name, another.internet.name]));
});
