import { Type } from "typebox";

import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";
import { LogLevel } from "../jobs/job.ts";

/**
 * One line of an agent's log; ids rise by agent. In place of lines that are no longer kept, one line of level `warn`
 * gives their number, with the id of the last of them: so ids have gaps only behind the last one seen, never without
 * such a line.
 */
export const AgentLog = Type.Object({
  id: Type.Integer(),
  created_at: Timestamp,
  output: Type.String(),
  level: LogLevel,
  source_id: Uuid,
});
export type AgentLog = Infer<typeof AgentLog>;

/** The presence of `follow` and `no_compression` counts (docs/protocol/rest.md §6.2). */
export const AgentLogQuery = Type.Object({
  after: Type.Optional(Type.String()),
  before: Type.Optional(Type.String()),
  follow: Type.Optional(Type.String()),
  no_compression: Type.Optional(Type.String()),
  format: Type.Optional(Type.String()),
});

/** Largest WebSocket message that stock clients read on a log stream, in bytes (docs/protocol/rest.md, trap 7). */
export const maxLogMessageBytes = 32_768;
