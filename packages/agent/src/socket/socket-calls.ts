import { type RpcEntry, RpcError, type RpcTable, unary } from "@slipway/rpc";
import type {
  DescMessage,
  DescMethodUnary,
  MessageShape,
  MessageInitShape,
} from "@slipway/wire/protobuf/descriptors";
import { AgentSocket } from "@slipway/wire/protobuf/gen/agent-socket_pb";
import { UpdateAppStatusRequestSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import type { UpdateAppStatusRequest } from "@slipway/wire/protobuf/gen/agent_pb";
import { parseKnownFields } from "@slipway/wire/protobuf/message";

import { UnitError, type Units } from "./units.ts";

/** The state that the calls of programs read and change. */
export interface SocketState {
  readonly units: Units;
  /** Forwards the status of an app to the server. Rejects while the agent is offline. */
  readonly updateAppStatus: (status: UpdateAppStatusRequest) => Promise<void>;
}

const { method } = AgentSocket;
const completed = "completed";

/** The RPCs of the agent's socket (docs/protocol/agent.md §10), except the context of coding agents. */
export const socketCalls: RpcTable<SocketState> = new Map([
  entry(method.ping, () => ({})),
  entry(method.syncStart, ({ units }, { unit }) => {
    units.start(unit);
    return {};
  }),
  entry(method.syncWant, ({ units }, { unit, dependsOn }) => {
    units.want(unit, dependsOn);
    return {};
  }),
  entry(method.syncComplete, ({ units }, { unit }) => {
    units.complete(unit);
    return {};
  }),
  entry(method.syncReady, ({ units }, { unit }) => ({ ready: units.isReady(unit) })),
  entry(method.syncStatus, ({ units }, { unit }) => ({
    status: units.status(unit),
    isReady: units.isReady(unit),
    dependencies: units.dependencies(unit).map(({ dependsOn, status }) => ({
      unit,
      dependsOn,
      requiredStatus: completed,
      currentStatus: status,
      isSatisfied: status === completed,
    })),
  })),
  entry(method.syncList, ({ units }) => ({ units: [...units.list()] })),
  unary(
    method.updateAppStatus,
    (bytes) => parseKnownFields(UpdateAppStatusRequestSchema, bytes),
    async ({ updateAppStatus }: SocketState, status) => {
      await updateAppStatus(status);
      return {};
    },
  ),
]);

/** Returns the entry of a call that reads or changes units synchronously. */
function entry<I extends DescMessage, O extends DescMessage>(
  called: DescMethodUnary<I, O>,
  answer: (state: SocketState, request: MessageShape<I>) => MessageInitShape<O>,
): RpcEntry<SocketState> {
  return unary(
    called,
    (bytes) => parseKnownFields(called.input, bytes),
    async (state, request) => {
      try {
        return answer(state, request);
      } catch (error) {
        throw error instanceof UnitError ? new RpcError(error.message) : error;
      }
    },
  );
}
