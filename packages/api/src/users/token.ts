import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { TokenScope } from "../contract/scopes.ts";

/** A session key or API token, without its secret (docs/protocol/clients.md §5.1). */
export const ApiKey = Type.Object({
  id: Type.String(),
  user_id: Uuid,
  last_used: Timestamp,
  expires_at: Timestamp,
  created_at: Timestamp,
  updated_at: Timestamp,
  /** The way in which its session began; `token` for an API token. */
  login_type: oneOf("password", "oidc", "github", "token"),
  /** The scope for older clients; empty if `scopes` has any other value. */
  scope: oneOf("all", "application_connect", ""),
  scopes: Type.Array(Type.String()),
  /** Empty for a session. */
  token_name: Type.String(),
  lifetime_seconds: Type.Integer(),
  allow_list: Type.Array(Type.String()),
  /** The user who created it, if not its owner. */
  created_by: Type.Optional(Uuid),
});
export type ApiKey = Infer<typeof ApiKey>;

/** A token in a list, with its owner's username. */
export const ListedToken = Type.Object({ ...ApiKey.properties, username: Type.String() });
export type ListedToken = Infer<typeof ListedToken>;

/** An entry of a token's allow list: `<type>:<id>`, `<type>:*` for all of a type, or `*:*` for all. */
const AllowListEntry = Type.String({
  maxLength: 64,
  pattern: "^(\\*:\\*|[a-z_]+:(\\*|[0-9A-Fa-f-]{36}))$",
});

export const CreateTokenRequest = Type.Object({
  /** The lifetime in nanoseconds; 0 means the default of 7 days. */
  lifetime: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The name; generated when empty. */
  token_name: Type.Optional(Type.String({ maxLength: 64 })),
  scope: Type.Optional(Type.Union([TokenScope, oneOf("")])),
  scopes: Type.Optional(nullable(Type.Array(TokenScope, { maxItems: 100 }))),
  allow_list: Type.Optional(nullable(Type.Array(AllowListEntry, { maxItems: 128 }))),
});
export type CreateTokenRequest = Infer<typeof CreateTokenRequest>;
