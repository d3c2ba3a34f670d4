import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { createBuild } from "@slipway/api/workspaces/build-routes";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  Agent,
  Connection_Action,
  Connection_Type,
  Lifecycle_State,
  StartupSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import { readAgentToken } from "../processes/external-agent.ts";
import { openRawAgent, type RawAgent } from "../processes/raw-agent.ts";
import { waitForWorkspace } from "../processes/workspace-life.ts";
import { frameTricks } from "./agent-frame-tricks.ts";
import type { HostileTarget } from "./target.ts";
import type { Trick } from "./trick.ts";

const mebibyte = 1024 * 1024;
const escapes = "\u001b]52;c;ZWNobyBob3N0aWxl\u0007\u001b]0;title\u0007\u001b[2J\r";

/** All attacks of an agent, played one at a time in this order. */
export const agentTricks: readonly Trick[] = [
  ...frameTricks.map(({ name, run }): Trick => {
    return {
      name,
      run: (target, play, signal) => withSession(target, (agent) => run(agent, play, signal)),
    };
  }),
  {
    name: "answers that are never read",
    run: (target, play, signal) =>
      withSession(target, async (agent) => {
        agent.socket.pause();
        const startup = { version: "v1.2.3", expandedDirectory: "d".repeat(4000) };
        for (let call = 0; call < 200; call += 1) {
          void agent.call(Agent.method.updateStartup, { startup }).catch(() => undefined);
          void agent.call(Agent.method.getManifest, {}).catch(() => undefined);
        }
        play.note(true);
        await pause(1_000, undefined, { signal });
      }),
  },
  {
    name: "4 MiB of unknown fields",
    run: (target, play) =>
      withSession(target, async (agent) => {
        const startup = Buffer.concat([
          encodeMessage(StartupSchema, { version: "v1.2.3" }),
          // Field 1000.
          field(1000, Buffer.alloc(3.5 * mebibyte)),
        ]);
        for (let call = 0; call < 5; call += 1) {
          play.reply(await agent.callBytes(Agent.method.updateStartup, field(1, startup)));
        }
      }),
  },
  {
    name: "many sessions",
    run: async (target, play) => {
      await using sessions = new AsyncDisposableStack();
      const token = await tokenOf(target);
      for (let number = 0; number < 20; number += 1) {
        const role = ["agent", "logstream", `other ${number}`][number % 3] ?? "";
        const agent = await openRawAgent(target.server.url, token, { role });
        sessions.use(agent);
        play.reply(await agent.call(Agent.method.getManifest, {}));
      }
    },
  },
  {
    name: "countless sub-agents",
    run: (target, play) =>
      withSession(target, async (agent) => {
        const command = escapes + "x".repeat(4_000);
        for (let number = 0; number < 40; number += 1) {
          const apps = Array.from({ length: 10 }, (_, app) => ({ slug: `app${app}`, command }));
          const name = `sub${randomUUID().slice(0, 8)}`;
          play.reply(await agent.call(Agent.method.createSubAgent, { name, apps }));
        }
        const reply = await agent.call(Agent.method.listSubAgents, {});
        if (reply.type !== "message") return;
        const { agents } = parseMessage(Agent.method.listSubAgents.output, reply.bytes);
        for (const { id } of agents.slice(0, 16)) {
          play.reply(await agent.call(Agent.method.deleteSubAgent, { id }));
        }
        play.reply(await agent.call(Agent.method.deleteSubAgent, { id: encodeUuid(randomUUID()) }));
      }),
  },
  {
    name: "statistics with a thousand protocols",
    run: (target, play) =>
      withSession(target, async (agent) => {
        const names = Array.from({ length: 1_000 }, () => [randomUUID(), 1n] as const);
        const stats = { connectionCount: 1n, connectionsByProto: Object.fromEntries(names) };
        for (let call = 0; call < 100; call += 1) {
          play.reply(await agent.call(Agent.method.updateStats, { stats }));
        }
        const metrics = Array.from({ length: 100_000 }, () => ({}));
        play.reply(await agent.call(Agent.method.updateStats, { stats: { metrics } }));
      }),
  },
  {
    name: "unrequested metadata",
    run: (target, play) =>
      withSession(target, async (agent) => {
        for (let call = 0; call < 50; call += 1) {
          const metadata = Array.from({ length: 250 }, (_, key) => ({
            key: `k${key}`,
            result: { value: escapes + "x".repeat(5_000) },
          }));
          play.reply(await agent.call(Agent.method.batchUpdateMetadata, { metadata }));
        }
      }),
  },
  {
    name: "floods of log lines",
    run: (target, play) =>
      withSession(target, async (agent) => {
        const output = escapes + "x".repeat(200);
        const lines = Array.from({ length: 4_000 }, (_, line) => ({
          createdAt: timestampFromMs(Date.now() + line),
          output,
        }));
        const empty = Array.from({ length: 60_000 }, () => ({}));
        for (let call = 0; call < 5; call += 1) {
          play.reply(await agent.call(Agent.method.batchCreateLogs, { logs: lines }));
          play.reply(await agent.call(Agent.method.batchCreateLogs, { logs: empty }));
        }
      }),
  },
  {
    name: "endless reports",
    run: (target, play) =>
      withSession(target, async (agent) => {
        const longAgo = timestampFromMs(0);
        const farOff = { seconds: 253402300000n, nanos: 0 };
        for (let call = 0; call < 100; call += 1) {
          const connection = {
            id: encodeUuid(randomUUID()),
            action: Connection_Action.DISCONNECT,
            type: Connection_Type.SSH,
            timestamp: farOff,
            reason: escapes + "x".repeat(10_000),
          };
          play.reply(await agent.call(Agent.method.reportConnection, { connection }));
          const status = { slug: "web", message: `${escapes}${call}`, uri: "u".repeat(2_000) };
          play.reply(await agent.call(Agent.method.updateAppStatus, status));
          const timing = { scriptId: encodeUuid(randomUUID()), start: longAgo, end: farOff };
          play.reply(await agent.call(Agent.method.scriptCompleted, { timing }));
          const lifecycle = { state: Lifecycle_State.STARTING };
          play.reply(await agent.call(Agent.method.updateLifecycle, { lifecycle }));
        }
        const log = { resource: { case: "httpRequest", value: { url: escapes } } } as const;
        const logs = Array.from({ length: 1_000 }, () => log);
        for (let call = 0; call < 20; call += 1) {
          play.reply(await agent.call(Agent.method.reportBoundaryLogs, { logs }));
        }
      }),
  },
  {
    name: "streams and handshakes",
    run: (target, play) =>
      withSession(target, async (agent) => {
        const ids = Array.from({ length: 1_000 }, () => ({ id: encodeUuid(randomUUID()) }));
        const calls = Array.from({ length: 100 }, () =>
          agent.call(Tailnet.method.coordinate, { readyForHandshake: ids }),
        );
        for (const reply of await Promise.all(calls)) play.reply(reply);
      }),
  },
  {
    name: "invalid frames",
    run: async (target, play) => {
      const frames = [
        randomBytes(1_000),
        Buffer.alloc(4 * mebibyte + 1),
        "text",
        Buffer.alloc(100_000, 0xff),
      ];
      for (const frame of frames) {
        await withSession(target, async (agent) => {
          agent.socket.send(frame);
          await agent.closed;
          play.note(false);
        });
      }
    },
  },
  {
    name: "a session that outlives its build",
    run: async (target, play) => {
      const { client, workspace } = target.agentOwner;
      const params = { workspace: workspace.id };
      await using agent = await openRawAgent(target.server.url, await tokenOf(target), {
        role: "logstream",
      });
      for (const transition of ["stop", "start"] as const) {
        await play.request(transition, client.call(createBuild, { params, body: { transition } }));
        await waitForWorkspace(client, workspace.id, ({ latest_build: { job } }) => {
          return job.completed_at !== undefined;
        });
        const reply = await agent.call(Agent.method.getManifest, {}).catch(() => undefined);
        if (reply?.type === "message") throw new Error("session outlived its build");
        play.note(false);
      }
    },
  },
];

/** Encodes a field of a message that holds bytes or a message. */
function field(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
}

function varint(number: number): Uint8Array {
  return number < 0x80
    ? Uint8Array.of(number)
    : Buffer.concat([Uint8Array.of((number & 0x7f) | 0x80), varint(number >> 7)]);
}

async function tokenOf({ agentOwner: { client, workspace } }: HostileTarget): Promise<string> {
  return readAgentToken(client, workspace.id);
}

/** Runs a task over its own session. */
async function withSession(
  target: HostileTarget,
  run: (agent: RawAgent) => Promise<void>,
): Promise<void> {
  await using agent = await openRawAgent(target.server.url, await tokenOf(target));
  await run(agent);
}
