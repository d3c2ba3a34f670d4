import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { UserParams } from "./routes.ts";

/** A session of a user: a browser or a command that logged in. */
export const Session = Type.Object({
  /** The id of its key. */
  id: Type.String(),
  /** True for the session of this request. */
  is_current: Type.Boolean(),
  /** The way in which it began. */
  login_type: oneOf("password", "oidc", "github"),
  created_at: Timestamp,
  /** Recorded at most hourly; 1970-01-01 if it was never used. */
  last_used: Timestamp,
  /** The end if it is not used until then. */
  expires_at: Timestamp,
  /** The address of the login or of the last recorded use; empty if unknown. */
  ip: Type.String(),
  user_agent: Type.String(),
  /** The user who created it, if not its own. */
  created_by: Type.Optional(Uuid),
});
export type Session = Infer<typeof Session>;

export const listSessions = defineRoute({
  method: "GET",
  path: "/users/:user/sessions",
  summary: "List the sessions of a user",
  scopes: ["api_key:read"],
  params: UserParams,
  response: Type.Array(Session),
});

export const deleteSessions = defineRoute({
  method: "DELETE",
  path: "/users/:user/sessions",
  summary: "End all sessions of a user but that of this request",
  scopes: ["api_key:delete"],
  params: UserParams,
  status: 204,
  response: Type.Null(),
});
