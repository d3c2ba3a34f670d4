import type { ChildProcess } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { type Laboratory, openLaboratory } from "@slipway/testkit/netlab";
import { beforeAll, describe, it } from "vitest";

import { makeExternalWorkspace } from "./support/external-workspace.ts";
import { agents } from "./support/laboratory/agents.ts";
import { type Command, type CommandKind, commands } from "./support/laboratory/commands.ts";
import type { Pong } from "./support/laboratory/pong.ts";
import {
  type LaboratoryServer,
  laboratoryServer,
  openLaboratoryServer,
} from "./support/laboratory/server.ts";

/*
 * Commands reach agents between all kinds of networks, directly where a path exists and over the relay otherwise.
 * `vitest.config.ts` leaves this file out, and says so, where namespaces cannot be created.
 */

/** The number of pongs after which peers on the relay no longer expect a direct path. */
const settledPongs = 20;
/** The number of pongs among which peers find each other again; their server connections may have to time out first. */
const patientPongs = 200;
const opened = new AsyncDisposableStack();
let lab: Laboratory;
let server: LaboratoryServer;

beforeAll(async () => {
  lab = opened.use(await openLaboratory(layout));
  const { host, port } = laboratoryServer;
  await lab.router("hotel-proxy").interceptHttp(host, port);
  server = opened.use(await openLaboratoryServer(lab));
  return () => opened.disposeAsync();
});

const layout = {
  routers: {
    "home-router": { nat: "endpoint-independent" },
    "cafe-router": { nat: "endpoint-independent" },
    "office-router": { nat: "address-dependent" },
    "plant-router": { nat: "address-dependent" },
    "bank-firewall": { udp: "blocked" },
    "hotel-proxy": { udp: "blocked" },
    // Full packets do not fit; Node.js cannot forbid fragments, so our peers would send those.
    "narrow-router": { mtu: 1_280, fragments: "blocked" },
  },
  hosts: {
    direct: {},
    other: {},
    narrow: { behind: "narrow-router" },
    home: { behind: "home-router" },
    "home-too": { behind: "home-router" },
    cafe: { behind: "cafe-router" },
    office: { behind: "office-router" },
    plant: { behind: "plant-router" },
    bank: { behind: "bank-firewall" },
    hotel: { behind: "hotel-proxy" },
    far: { impairment: { rttMs: 20, lossRate: 0.01 } },
  },
} as const;

type HostName = keyof typeof layout.hosts;

/** The host of the agent, the host of the command, and the path that both find. */
const paths: readonly (readonly [HostName, HostName, Pong["way"]])[] = [
  ["direct", "other", "direct"],
  ["direct", "cafe", "direct"],
  ["direct", "office", "direct"],
  ["direct", "bank", "relay"],
  ["direct", "hotel", "relay"],
  ["direct", "narrow", "relay"],
  ["direct", "far", "direct"],
  ["home", "other", "direct"],
  ["home", "cafe", "direct"],
  ["home", "home-too", "direct"],
  ["home", "office", "relay"],
  ["office", "other", "direct"],
  ["office", "cafe", "relay"],
  ["office", "plant", "relay"],
  ["bank", "other", "relay"],
  ["hotel", "cafe", "relay"],
  ["far", "cafe", "direct"],
];

describe.each(agents)("the agent $name", (agent) => {
  /** The names of the workspaces by their agents' hosts. */
  const workspaces = new Map<string, string>();

  beforeAll(async () => {
    const start = async (host: HostName): Promise<ChildProcess> => {
      const name = `${agent.name} ${host}`;
      const made = await makeExternalWorkspace(server.client, server.templateId, name);
      workspaces.set(host, made.name);
      const { namespace } = lab.host(host);
      const home = join(server.directory, made.name);
      return agent.start({ namespace, serverUrl: server.url, token: made.token, home });
    };
    const started = await Promise.all(new Set(paths.map(([host]) => host)).values().map(start));
    return () => {
      for (const child of started) child.kill("SIGKILL");
    };
  });

  describe.each(commands)("and the command $name", (kind) => {
    const ping = async (to: HostName, from: HostName): Promise<AsyncGenerator<Pong, void>> => {
      const command = await openCommand(kind, from);
      return command.ping(workspaces.get(to) ?? "");
    };

    it.concurrent.for(paths)(
      "from %s to %s: %s",
      async ([to, from, way], { expect: expectHere }) => {
        await using pongs = await ping(to, from);
        const found = await findWay(pongs);
        expectHere(found).toBe(way);
      },
    );

    describe("when the network changes", () => {
      it.concurrent("are back on their way once a cut link is restored", async () => {
        await using pongs = await ping("direct", "other");
        await waitForPong(pongs, { way: "direct" });
        const { uplink } = lab.host("direct");
        await uplink.cut();
        await waitForPong(pongs, { way: "none" });
        await uplink.restore();
        await waitForPong(pongs, { way: "direct", address: uplink.address });
      });

      it.concurrent("take the relay while UDP is blocked", async () => {
        await using pongs = await ping("home", "cafe");
        await waitForPong(pongs, { way: "direct" });
        await lab.router("home-router").blockUdp();
        await waitForPong(pongs, { way: "relay" });
        await lab.router("home-router").allowUdp();
        await waitForPong(pongs, { way: "direct" });
      });

      it.concurrent("find each other at a new address", async () => {
        await using pongs = await ping("far", "other");
        await waitForPong(pongs, { way: "direct" });
        const address = await lab.host("far").uplink.changeAddress();
        await waitForPong(pongs, { way: "direct", address });
      });

      it.concurrent("find each other through a NAT at a new address", async () => {
        await using pongs = await ping("office", "other");
        await waitForPong(pongs, { way: "direct" });
        const address = await lab.router("office-router").uplink.changeAddress();
        await waitForPong(pongs, { way: "direct", address });
      });
    });
  });
});

/** Resolves to the path that peers have found: the direct one at its first pong, the relay if none arrives directly. */
async function findWay(pongs: AsyncGenerator<Pong, void>): Promise<Pong["way"] | undefined> {
  let way: Pong["way"] | undefined;
  for (let count = 0; count < settledPongs && way !== "direct"; count += 1) {
    way = (await pongs.next()).value?.way;
  }
  return way;
}

/** Waits for a matching pong. Throws when none matches among many. */
async function waitForPong(
  pongs: AsyncGenerator<Pong, void>,
  wanted: Partial<Pong>,
): Promise<void> {
  const seen: Pong[] = [];
  while (seen.length < patientPongs) {
    const { value } = await pongs.next();
    if (value === undefined) break;
    seen.push(value);
    if (isDeepStrictEqual({ ...value, ...wanted }, value)) return;
  }
  throw new Error(`found ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)} at the end`);
}

async function openCommand(kind: CommandKind, host: HostName): Promise<Command> {
  const { namespace } = lab.host(host);
  const home = await mkdtemp(join(server.directory, `${kind.name}-${host}-`));
  const token = server.client.headers["Coder-Session-Token"] ?? "";
  return kind.open({ namespace, serverUrl: server.url, token, home });
}
