import { Type } from "typebox";

import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";
import { LogLevel } from "../jobs/job.ts";

/**
 * One line of an agent's log. Ids increase per agent. Dropped lines are replaced by one line of level `warn` that gives
 * their number and has the id of the last of them, so every gap in the ids ends with such a line.
 */
export const AgentLog = Type.Object({
  id: Type.Integer(),
  created_at: Timestamp,
  output: Type.String(),
  level: LogLevel,
  source_id: Uuid,
});
export type AgentLog = Infer<typeof AgentLog>;

/** `follow` and `no_compression` count by their presence, whatever their values (docs/protocol/rest.md §6.2). */
export const AgentLogQuery = Type.Object({
  after: Type.Optional(Type.String()),
  before: Type.Optional(Type.String()),
  follow: Type.Optional(Type.String()),
  no_compression: Type.Optional(Type.String()),
  format: Type.Optional(Type.String()),
});

/** The largest WebSocket message that stock clients read on a log stream, in bytes (docs/protocol/rest.md, trap 7). */
export const maxLogMessageBytes = 32_768;
