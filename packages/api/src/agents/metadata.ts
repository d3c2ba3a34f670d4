import { Type } from "typebox";

import { type Infer, Timestamp } from "../contract/scalars.ts";

/** One metadata item: its description and its latest value. Intervals, timeouts and ages are in seconds. */
export const AgentMetadata = Type.Object({
  result: Type.Object({
    collected_at: Timestamp,
    age: Type.Integer(),
    value: Type.String(),
    error: Type.String(),
  }),
  description: Type.Object({
    display_name: Type.String(),
    key: Type.String(),
    script: Type.String(),
    interval: Type.Integer(),
    timeout: Type.Integer(),
  }),
});
export type AgentMetadata = Infer<typeof AgentMetadata>;
