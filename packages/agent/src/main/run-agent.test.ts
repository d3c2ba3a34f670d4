import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openLocalServer } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { describe, expect, it, onTestFinished } from "vitest";

import { ScriptedServer } from "../../tests/support/scripted-server.ts";
import { serveScripted } from "../../tests/support/served-server.ts";
import type { ServedServer } from "../../tests/support/served-server.ts";
import type { Variables } from "../config/agent-config.ts";
import { runAgent } from "./run-agent.ts";

const scriptId = encodeUuid("00112233-4455-6677-8899-aabbccddeeff");
const workspaceId = "0967198e-ec7b-4c6b-b4d3-f71244cadbe9";
const adaId = "8826ee2e-7933-4665-aef2-2393f84a0d05";
const frame = `event: data\ndata: ${JSON.stringify({
  workspace_id: workspaceId,
  reason: "prebuild_claimed",
  owner_id: adaId,
})}\n\n`;

interface Running {
  readonly served: ServedServer;
  readonly states: readonly number[];
  /** Returns the output of the start scripts, one line per run. */
  runs(): string[];
  /** Returns the tokens that the scripts found. */
  tokens(): string[];
  claim(ownerName: string): void;
  interrupt(): void;
  readonly exitCode: Promise<number>;
}

/** Runs the whole agent against a listening server. */
async function run(auth: Variables = { CODER_AGENT_TOKEN: "secret" }): Promise<Running> {
  const home = mkdtempSync(join(tmpdir(), "slipway-agent-"));
  const scripted = new ScriptedServer();
  const states: number[] = [];
  let owner = "prebuilds";
  let row = 1;
  scripted.on(Agent.method.getManifest, () => ({
    agentId: encodeUuid(`00000000-0000-0000-0000-00000000000${row}`),
    workspaceId: encodeUuid(workspaceId),
    ownerUsername: owner,
    workspaceName: `${owner}-box`,
    environmentVariables: { GIT_AUTHOR_NAME: `${owner} the author` },
    scripts: [
      {
        id: scriptId,
        logSourceId: scriptId,
        runOnStart: true,
        script:
          'echo "$CODER_WORKSPACE_OWNER_NAME $CODER_WORKSPACE_NAME $GIT_AUTHOR_NAME" >> ~/runs; echo "$CODER_AGENT_TOKEN" >> ~/tokens; sleep 1000 & ',
      },
      { id: scriptId, logSourceId: scriptId, runOnStop: true, script: "echo bye >> ~/runs" },
    ],
  }));
  scripted.on(Agent.method.updateStartup, ({ startup }) => startup ?? {});
  scripted.on(Agent.method.updateLifecycle, ({ lifecycle }) => {
    states.push(lifecycle?.state ?? 0);
    return lifecycle ?? {};
  });
  scripted.on(Agent.method.batchCreateLogs, () => ({}));
  scripted.on(Agent.method.scriptCompleted, () => ({}));
  scripted.on(Agent.method.updateStats, () => ({}));
  const served = await serveScripted(scripted);
  const interrupted = Promise.withResolvers<"SIGTERM">();
  const forced = new AbortController();
  const exitCode = runAgent({
    flags: {},
    environment: {
      PATH: process.env["PATH"],
      HOME: home,
      SHELL: "/bin/sh",
      CODER_AGENT_URL: served.url,
      ...auth,
      CODER_AGENT_LOG_DIR: home,
      CODER_AGENT_SCRIPT_DATA_DIR: home,
      CODER_AGENT_LOGGING_HUMAN: "",
    },
    interrupted: interrupted.promise,
    forced: forced.signal,
  });
  onTestFinished(async () => {
    forced.abort();
    interrupted.resolve("SIGTERM");
    await exitCode;
    await served[Symbol.asyncDispose]();
    rmSync(home, { recursive: true });
  });
  return {
    served,
    states,
    runs: () => readFileSync(join(home, "runs"), "utf8").trim().split("\n"),
    tokens: () => readFileSync(join(home, "tokens"), "utf8").trim().split("\n"),
    claim: (ownerName) => {
      owner = ownerName;
      row += 1;
    },
    interrupt: () => interrupted.resolve("SIGTERM"),
    exitCode,
  };
}

/** Opens the metadata service of an AWS instance; resolves to the settings of an agent on it. */
async function onAws(
  answer: (response: ServerResponse) => void = (response) => void response.end("anything"),
): Promise<Variables> {
  const service = await openLocalServer(createServer((_request, response) => answer(response)));
  onTestFinished(() => service[Symbol.asyncDispose]());
  return {
    CODER_AGENT_AUTH: "aws-instance-identity",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url,
  };
}

const asPrebuild = "prebuilds prebuilds-box prebuilds the author";
const asAda = "ada ada-box ada the author";

/** The machine may be busy. */
const soon = { timeout: 15_000 };

describe("runAgent", () => {
  it("lives for the pool and then for whoever claims, once, however often it is told", async () => {
    const agent = await run();
    await expect.poll(() => agent.states, soon).toContain(Lifecycle_State.STARTING);
    await expect.poll(() => agent.runs(), soon).toEqual([asPrebuild]);
    await expect.poll(() => agent.served.streams(), soon).toBe(1);
    agent.claim("ada");
    agent.served.send(frame.slice(0, 20));
    agent.served.send(frame.slice(20) + frame);
    agent.served.cut();
    await expect.poll(() => agent.runs(), soon).toEqual([asPrebuild, "bye", asAda]);
    await expect.poll(() => agent.served.streams(), soon).toBe(1);
    agent.served.send(frame);
    agent.served.cut();
    await expect
      .poll(() => agent.served.asked.filter((line) => line === "rpc secret").length)
      .toBeGreaterThan(2);
    agent.interrupt();
    expect(await agent.exitCode).toBe(0);
    expect(agent.runs()).toEqual([asPrebuild, "bye", asAda, "bye"]);
    expect(agent.states.filter((state) => state === Lifecycle_State.STARTING)).toHaveLength(2);
    expect(agent.states.at(-1)).toBe(Lifecycle_State.OFF);
  });

  it("finds its way back when its token is taken only after a while", async () => {
    const agent = await run();
    await expect.poll(() => agent.served.streams(), soon).toBe(1);
    await expect.poll(() => agent.states, soon).toContain(Lifecycle_State.STARTING);
    agent.served.setStatus(401);
    agent.served.cut();
    agent.served.send('event: error\ndata: {"message":"gone"}\n\n');
    await expect.poll(() => agent.served.asked.length, soon).toBeGreaterThan(5);
    agent.claim("ada");
    agent.served.setStatus(200);
    await expect.poll(() => agent.runs(), soon).toEqual([asPrebuild, "bye", asAda]);
  });

  it("gets its token for its instance's identity, anew for each connection", async () => {
    const agent = await run(await onAws());
    await expect.poll(() => agent.served.streams(), soon).toBe(1);
    await expect.poll(() => agent.states, soon).toContain(Lifecycle_State.STARTING);
    await expect.poll(() => agent.tokens(), soon).toEqual(["granted-1"]);
    expect(agent.served.asked.toSorted()).toEqual([
      "aws-instance-identity undefined",
      "reinit granted-1",
      "rpc granted-1",
    ]);
    agent.claim("ada");
    agent.served.cut();
    await expect.poll(() => agent.runs(), soon).toEqual([asPrebuild, "bye", asAda]);
    await expect.poll(() => agent.tokens(), soon).toEqual(["granted-1", "granted-2"]);
    expect(agent.served.asked.slice(3)).toEqual([
      "aws-instance-identity undefined",
      "rpc granted-2",
    ]);
    agent.interrupt();
    expect(await agent.exitCode).toBe(0);
  });

  it("gets another token when it is refused, as soon as the server grants one", async () => {
    const agent = await run(await onAws());
    await expect.poll(() => agent.served.streams(), soon).toBe(1);
    await expect.poll(() => agent.runs(), soon).toEqual([asPrebuild]);
    agent.served.setStatus(401);
    agent.served.cut();
    agent.served.send('event: error\ndata: {"message":"gone"}\n\n');
    await expect.poll(() => agent.served.asked.length, soon).toBeGreaterThan(7);
    agent.claim("ada");
    agent.served.setStatus(200);
    await expect.poll(() => agent.runs(), soon).toEqual([asPrebuild, "bye", asAda]);
    await expect.poll(() => agent.served.streams(), soon).toBe(1);
    expect(agent.served.asked.filter((line) => line === "rpc granted-1")).toHaveLength(1);
    expect(agent.served.asked.findLast((line) => line.startsWith("reinit"))).not.toBe(
      "reinit granted-1",
    );
  });

  it("ends at once when it is told to while no token comes", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const silent = (response: ServerResponse): void => {
      asked.resolve();
      response.on("close", () => left.resolve());
    };
    const agent = await run(await onAws(silent));
    await asked.promise;
    agent.interrupt();
    expect(await agent.exitCode).toBe(0);
    await left.promise;
    expect(agent.served.asked).toEqual([]);
  });
});
