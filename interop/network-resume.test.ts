import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { systemClock } from "@slipway/runtime";
import {
  type Laboratory,
  type Namespace,
  openLaboratory,
  type Uplink,
} from "@slipway/testkit/netlab";
import { beforeAll, describe, it } from "vitest";

import { makeExternalWorkspace } from "./support/external-workspace.ts";
import { type AgentKind, agents } from "./support/laboratory/agents.ts";
import { type EchoOutcome, echoStream } from "./support/laboratory/echo-stream.ts";
import { type LaboratoryServer, openLaboratoryServer } from "./support/laboratory/server.ts";
import { untilConnected } from "./support/network/servers.ts";
import { untilPrinted } from "./support/network/until-printed.ts";

/*
 * Connections of our command survive a minute without a network, a new address of either end, and the move from a
 * direct path to the relay and back: their bytes are neither lost nor repeated. A stock agent gives a connection up
 * when its data is not acknowledged after five repetitions, 13 to 30 s, and ends both directions of a forwarded
 * connection when one ends: with one, connections survive ten seconds, and a minute while they are quiet.
 * `vitest.config.ts` leaves this file out, and says so, where namespaces cannot be created.
 */

const longMs = 60_000;
const shortMs = 10_000;
/** The time in which a dead path is abandoned for the relay, and in which another one is found. */
const relayMs = 13_000;
const directMs = 6_000;
/** The time after the last byte in which everything is acknowledged, even with delayed acknowledgments. */
const quietMs = 1_000;
const streamBytes = 16 * 1024 * 1024;
const [echoPort, localPort] = [7_000, 4_000];
const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const opened = new AsyncDisposableStack();
let lab: Laboratory;
let server: LaboratoryServer;

const sleep = (ms: number): Promise<void> => systemClock.sleep(ms, new AbortController().signal);

async function cut(uplink: Uplink, ms: number): Promise<void> {
  await uplink.cut();
  await sleep(ms);
  await uplink.restore();
}

/** A disturbance of a stream. */
interface Disturbance {
  readonly name: string;
  /** True if it happens while nothing is in transit. */
  readonly isQuiet: boolean;
  readonly happen: (uplink: Uplink) => Promise<unknown>;
  /** The router of its hosts (default: that of the path, if it has one). */
  readonly behind?: "cafe-router";
}

const moved = (uplink: Uplink): Promise<unknown> => uplink.changeAddress();

/**
 * Moves a stream from its direct path to the relay, and lets it find a direct one again; each carries different
 * packets.
 */
async function detour(): Promise<void> {
  const router = lab.router("cafe-router");
  await router.blockUdp();
  await sleep(relayMs);
  await router.allowUdp();
  await sleep(directMs);
}
const onOurs: readonly Disturbance[] = [
  { name: "cut for a minute", isQuiet: false, happen: (uplink) => cut(uplink, longMs) },
  { name: "moved", isQuiet: false, happen: moved },
  { name: "relayed for a while", isQuiet: false, happen: detour, behind: "cafe-router" },
];
const onStock: readonly Disturbance[] = [
  { name: "cut for ten seconds", isQuiet: false, happen: (uplink) => cut(uplink, shortMs) },
  { name: "cut for a minute while quiet", isQuiet: true, happen: (uplink) => cut(uplink, longMs) },
  { name: "moved", isQuiet: false, happen: moved },
];

/** The ways to carry a stream. */
const ways = ["ssh", "port-forward"] as const;

/** A stream that is disturbed, from a separate host. */
interface Scenario {
  readonly host: string;
  readonly way: (typeof ways)[number];
  readonly disturbance: Disturbance;
  /** A stock agent closes both directions of a forwarded connection when one ends. */
  readonly halfCloses: boolean;
}

function scenariosOf(kind: AgentKind): readonly Scenario[] {
  return ways.flatMap((way) =>
    (kind.isOurs ? onOurs : onStock).map((disturbance, index) => ({
      host: `${String(agents.indexOf(kind))}-${way}-${String(index)}`,
      way,
      disturbance,
      halfCloses: kind.isOurs || way === "ssh",
    })),
  );
}

const layout = {
  routers: {
    "home-router": { nat: "endpoint-independent" },
    "cafe-router": { nat: "endpoint-independent" },
  },
  hosts: {
    ...Object.fromEntries(agents.map((_, index) => [`site-${String(index)}`, {}])),
    ...Object.fromEntries(
      agents
        .flatMap(scenariosOf)
        .map(({ host, way, disturbance: { behind } }) => [
          host,
          behind === undefined && way !== "ssh" ? {} : { behind: behind ?? "home-router" },
        ]),
    ),
  },
} as const;

beforeAll(async () => {
  lab = opened.use(await openLaboratory(layout));
  server = opened.use(await openLaboratoryServer(lab));
  return () => opened.disposeAsync();
});

describe.each(agents)("the agent $name", (kind) => {
  const site = String(agents.indexOf(kind));
  let workspace = "";

  beforeAll(async () => {
    const made = await makeExternalWorkspace(server.client, server.templateId, kind.name);
    workspace = made.name;
    const { namespace } = lab.host(`site-${site}`);
    const home = join(server.directory, made.name);
    const agent = await kind.start({ namespace, serverUrl: server.url, token: made.token, home });
    const echo = `require("net").createServer({allowHalfOpen:true},s=>s.on("error",()=>{}).pipe(s)).listen(${String(echoPort)},"127.0.0.1")`;
    namespace.spawn(process.execPath, ["-e", echo], { stdio: "ignore" });
    await untilConnected(server.client, made.id);
    return () => void agent.kill("SIGKILL");
  });

  const cases = scenariosOf(kind).map((one) => [one.way, one.disturbance.name, one] as const);
  it.concurrent.for(cases)("%s is %s", async ([way, _name, scenario], { expect: expectHere }) => {
    const { namespace, uplink } = lab.host(scenario.host);
    const child = await openStream(way, namespace, workspace);
    const outcome = await streamOf(child, uplink, scenario);
    expectHere(outcome).toEqual({ ...outcome, received: outcome.sent, code: 0 });
  });
});

function streamOf(
  child: ChildProcess,
  uplink: Uplink,
  { disturbance: { isQuiet, happen }, halfCloses }: Scenario,
): Promise<EchoOutcome> {
  const ended = once(child, "close").then(() => child.exitCode);
  const { stdin, stdout, stderr } = child;
  return echoStream({ stdin, stdout, stderr, ended }, streamBytes, {
    isQuiet,
    halfCloses,
    disturb: async () => {
      if (isQuiet) await sleep(quietMs);
      await happen(uplink);
    },
  });
}

/** Starts a program on a host; its input comes back from the workspace. */
async function openStream(
  way: (typeof ways)[number],
  namespace: Namespace,
  workspace: string,
): Promise<ChildProcess> {
  const home = await mkdtemp(join(server.directory, `${way}-`));
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    CODER_CONFIG_DIR: home,
    CODER_URL: server.url,
    CODER_SESSION_TOKEN: server.client.headers["Coder-Session-Token"],
  };
  const command = ["--conditions=@slipway/source", program];
  if (way === "ssh") {
    const words = [...command, "ssh", workspace, "--", "cat"];
    return namespace.spawn(process.execPath, words, { env, stdio: "pipe" });
  }
  const forward = `${String(localPort)}:${String(echoPort)}`;
  const words = [...command, "port-forward", "--tcp", forward, workspace];
  await untilPrinted(namespace.spawn(process.execPath, words, { env, stdio: "pipe" }), /Ready/);
  const connect = `const s=require("net").connect(${String(localPort)},"127.0.0.1");process.stdin.pipe(s);s.pipe(process.stdout)`;
  return namespace.spawn(process.execPath, ["-e", connect], { stdio: "pipe" });
}
