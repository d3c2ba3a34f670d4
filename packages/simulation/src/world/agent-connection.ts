import { RpcError } from "@slipway/rpc";
import { abortable } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { timestampToMs } from "@slipway/wire/protobuf/time";

import type { Life } from "../engine/life.ts";
import { Session } from "./session.ts";
import type { Setting } from "./setting.ts";
import { toWireId } from "./wire-ids.ts";

/** Connects as an agent does; rejects with `DialError`. */
export async function openSession(
  setting: Setting,
  life: Life,
  token: string,
  signal: AbortSignal,
): Promise<Session> {
  const end = setting.connect(life, { type: "rpc", token });
  const session = new Session(life, end);
  try {
    await abortable(session.opened.promise, signal);
  } catch (error) {
    session.close();
    throw error;
  }
  return session;
}

/** Returns a session as the agent's own code expects it, with wire messages. */
export function connectionOf(session: Session): AgentConnection {
  return {
    apiVersion: "2.10",
    closed: session.closed.promise,
    unary: async (method, input, signal) => {
      const bytes = encodeMessage(method.input, input);
      const answer = await abortable(answerOf(session, rpcPath(method), bytes), signal);
      return parseMessage(method.output, answer);
    },
    serverStream: () => {
      throw new Error("not simulated");
    },
    duplex: () => {
      throw new Error("not simulated");
    },
    close: async () => session.close(),
    [Symbol.asyncDispose]: async () => session.close(),
  };
}

const { getManifest, updateLifecycle, updateStartup, updateStats } = Agent.method;

async function answerOf(session: Session, path: string, input: Uint8Array): Promise<Uint8Array> {
  switch (path) {
    case rpcPath(getManifest): {
      const manifest = await session.manifest();
      return encodeMessage(getManifest.output, {
        agentId: toWireId(manifest.agentId),
        workspaceId: toWireId(manifest.workspaceId),
        agentName: manifest.agentName,
        ownerUsername: manifest.ownerName,
      });
    }
    case rpcPath(updateLifecycle): {
      const { lifecycle } = parseMessage(updateLifecycle.input, input);
      const state = stateNames.get(lifecycle?.state ?? 0) ?? "off";
      const changedAt = lifecycle?.changedAt;
      const changedAtMs = changedAt === undefined ? 0 : timestampToMs(changedAt);
      await session.call({ method: "lifecycle", report: { state, changedAtMs } });
      return encodeMessage(updateLifecycle.output, lifecycle ?? {});
    }
    case rpcPath(updateStartup):
      await session.call({ method: "startup", decides: "identity" });
      return encodeMessage(updateStartup.output, {});
    case rpcPath(updateStats):
      return encodeMessage(updateStats.output, {});
    default:
      throw new RpcError("not simulated", drpcCodeUnimplemented);
  }
}

/** The protocol's state names, which the server shares. */
const stateNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Lifecycle_State).map(([name, state]) => [state, name.toLowerCase()]),
);
