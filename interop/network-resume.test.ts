import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { systemClock } from "@slipway/runtime";
import { type Laboratory, type Namespace, openLaboratory } from "@slipway/testkit/netlab";
import { beforeAll, describe, it } from "vitest";

import { makeExternalWorkspace } from "./support/external-workspace.ts";
import { agents } from "./support/laboratory/agents.ts";
import { type EchoOutcome, echoStream } from "./support/laboratory/echo-stream.ts";
import { type LaboratoryServer, openLaboratoryServer } from "./support/laboratory/server.ts";
import { untilConnected } from "./support/network/servers.ts";
import { untilPrinted } from "./support/network/until-printed.ts";

/*
 * Connections of our command survive a minute without a network, and another address of either end: their bytes are neither
 * lost nor repeated. `vitest.config.ts` leaves this file out, and says so, where namespaces cannot be made.
 */

const outageMs = 60_000;
const streamBytes = 16 * 1024 * 1024;
const [echoPort, localPort] = [7_000, 4_000];
const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const opened = new AsyncDisposableStack();
let lab: Laboratory;
let server: LaboratoryServer;

/** The ways to carry a stream, and what happens to it. */
const ways = ["ssh", "port-forward"] as const;
const events = ["cut", "moved"] as const;
const layout = {
  routers: { "home-router": { nat: "endpoint-independent" } },
  hosts: {
    ...Object.fromEntries(agents.map((_, index) => [`site-${String(index)}`, {}])),
    ...Object.fromEntries(
      agents.flatMap((_, index) =>
        ways.flatMap((way) =>
          events.map((event) => [
            `${String(index)}-${way}-${event}`,
            way === "ssh" ? { behind: "home-router" } : {},
          ]),
        ),
      ),
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
    const echo = `require("net").createServer({allowHalfOpen:true},s=>s.pipe(s)).listen(${String(echoPort)},"127.0.0.1")`;
    namespace.spawn(process.execPath, ["-e", echo], { stdio: "ignore" });
    await untilConnected(server.client, made.id);
    return () => void agent.kill("SIGKILL");
  });

  const cases = ways.flatMap((way) => events.map((event) => [way, event] as const));
  it.concurrent.for(cases)("%s is %s", async ([way, event], { expect: expectHere }) => {
    const { namespace, uplink } = lab.host(`${site}-${way}-${event}`);
    const child = await openStream(way, namespace, workspace);
    const disturb = async (): Promise<void> => {
      if (event === "moved") await uplink.changeAddress();
      else {
        await uplink.cut();
        await systemClock.sleep(outageMs, new AbortController().signal);
        await uplink.restore();
      }
    };
    const outcome = await streamOf(child, disturb);
    expectHere(outcome).toEqual({ ...outcome, received: outcome.sent, stderr: "", code: 0 });
  });
});

function streamOf(child: ChildProcess, disturb: () => Promise<void>): Promise<EchoOutcome> {
  const ended = once(child, "close").then(() => child.exitCode);
  const { stdin, stdout, stderr } = child;
  return echoStream({ stdin, stdout, stderr, ended }, streamBytes, disturb);
}

/** Starts a program in a host whose input comes back from the workspace. */
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
