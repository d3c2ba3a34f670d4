import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer } from "../contract/scalars.ts";

export const BuildInfo = Type.Object({
  external_url: Type.String(),
  version: Type.String(),
  dashboard_url: Type.String(),
  telemetry: Type.Boolean(),
  workspace_proxy: Type.Boolean(),
  agent_api_version: Type.String(),
  provisioner_api_version: Type.String(),
  upgrade_message: Type.String(),
  deployment_id: Type.String(),
});
export type BuildInfo = Infer<typeof BuildInfo>;

export const getBuildInfo = defineRoute({
  method: "GET",
  path: "/buildinfo",
  summary: "Version and address of this server",
  caller: "anyone",
  response: BuildInfo,
});
