import { Type } from "typebox";

import { Run, RunPage } from "../agents/run-routes.ts";
import { defineRoute } from "../contract/route.ts";

const scopes = ["workspace:ssh"] as const;
const digits = Type.Optional(Type.String({ pattern: "^\\d{1,15}$" }));

export const listKeptRuns = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/runs",
  summary: "List the runs that a workspace has left when it stopped, the newest first",
  scopes,
  params: Type.Object({ workspace: Type.String() }),
  response: Type.Object({ runs: Type.Array(Run) }),
});

export const getKeptRunOutput = defineRoute({
  method: "GET",
  path: "/workspaces/:workspace/runs/:run/output",
  summary: "Get the end of the output of a run that a workspace has left when it stopped",
  scopes,
  params: Type.Object({ workspace: Type.String(), run: Type.String() }),
  query: Type.Object({
    /** The position up to which the caller has the output (default: 0). */
    after: digits,
    /** `text` (default) or `base64`. */
    encoding: Type.Optional(Type.String({ enum: ["text", "base64"] })),
  }),
  response: RunPage,
});
