import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";
import { UserParams } from "./routes.ts";

/** The public key of a user: one line as in `authorized_keys`, with its line feed and without a comment. */
export const GitKey = Type.Object({
  user_id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  public_key: Type.String(),
});
export type GitKey = Infer<typeof GitKey>;

/** A key pair in the formats of OpenSSH (docs/protocol/rest.md §2.7). */
export const GitKeyPair = Type.Object({
  public_key: Type.String(),
  private_key: Type.String(),
});
export type GitKeyPair = Infer<typeof GitKeyPair>;

export const getGitKey = defineRoute({
  method: "GET",
  path: "/users/:user/gitsshkey",
  summary: "Get a user's public Git SSH key",
  scopes: ["user:read_personal"],
  params: UserParams,
  response: GitKey,
});

export const regenerateGitKey = defineRoute({
  method: "PUT",
  path: "/users/:user/gitsshkey",
  summary: "Regenerate a user's Git SSH key",
  scopes: ["user:update_personal"],
  params: UserParams,
  response: GitKey,
});
