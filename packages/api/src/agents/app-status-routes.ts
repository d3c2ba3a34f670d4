import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

/** The icon and the attention flag are accepted and ignored (docs/protocol/rest.md §2.5). */
export const AppStatusRequest = Type.Object({
  app_slug: Type.Optional(Type.String({ maxLength: 1024 })),
  state: Type.Optional(Type.String({ maxLength: 64 })),
  message: Type.Optional(Type.String()),
  uri: Type.Optional(Type.String()),
  icon: Type.Optional(Type.String()),
  needs_user_attention: Type.Optional(Type.Boolean()),
});

export const updateAgentAppStatus = defineRoute({
  method: "PATCH",
  path: "/workspaceagents/me/app-status",
  summary: "Report the status of one of the agent's apps",
  caller: "agent",
  body: AppStatusRequest,
  response: Type.Null(),
});
