import { Type } from "typebox";

import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";
import { LogLevel } from "../jobs/job.ts";

/** One line of an agent's log; ids rise by agent without gaps. */
export const AgentLog = Type.Object({
  id: Type.Integer(),
  created_at: Timestamp,
  output: Type.String(),
  level: LogLevel,
  source_id: Uuid,
});
export type AgentLog = Infer<typeof AgentLog>;

/** `follow` and `no_compression` count by their presence (`rest.md` section 6.2). */
export const AgentLogQuery = Type.Object({
  after: Type.Optional(Type.String()),
  before: Type.Optional(Type.String()),
  follow: Type.Optional(Type.String()),
  no_compression: Type.Optional(Type.String()),
  format: Type.Optional(Type.String()),
});

/** Largest WebSocket message that stock clients read on a log stream, in bytes (`rest.md`, trap 7). */
export const maxLogMessageBytes = 32_768;
