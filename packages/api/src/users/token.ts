import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

/** A session key or API token, without its secret (`clients.md` section 5.1). */
export const ApiKey = Type.Object({
  id: Type.String(),
  user_id: Uuid,
  last_used: Timestamp,
  expires_at: Timestamp,
  created_at: Timestamp,
  updated_at: Timestamp,
  login_type: oneOf("password", "token"),
  scope: oneOf("all", "application_connect"),
  scopes: Type.Array(Type.String()),
  /** Empty for a session. */
  token_name: Type.String(),
  lifetime_seconds: Type.Integer(),
  allow_list: Type.Array(Type.String()),
});
export type ApiKey = Infer<typeof ApiKey>;

/** A token in a list, with whose it is. */
export const ListedToken = Type.Object({ ...ApiKey.properties, username: Type.String() });
export type ListedToken = Infer<typeof ListedToken>;

/** What a token may do: everything that its user may, or only reach the user's apps. Each has an old and a new name. */
export const tokenScopes = [
  "all",
  "application_connect",
  "coder:all",
  "coder:application_connect",
] as const;
const TokenScope = oneOf(...tokenScopes);

export const CreateTokenRequest = Type.Object({
  /** Nanoseconds; 0 means the usual 7 days. */
  lifetime: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Empty: one is made up. */
  token_name: Type.Optional(Type.String({ maxLength: 64 })),
  scope: Type.Optional(Type.Union([TokenScope, oneOf("")])),
  scopes: Type.Optional(nullable(Type.Array(TokenScope, { maxItems: 4 }))),
  allow_list: Type.Optional(nullable(Type.Array(oneOf("*:*"), { maxItems: 1 }))),
});
export type CreateTokenRequest = Infer<typeof CreateTokenRequest>;

/** Nanoseconds, beyond what a double holds exactly in general; the values here are exact. */
export const TokenConfig = Type.Object({ max_token_lifetime: Type.Integer() });
