import { Type } from "typebox";

import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";

/** The public half: one line as in `authorized_keys`, without comment, with its line feed. */
export const GitKey = Type.Object({
  user_id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  public_key: Type.String(),
});
export type GitKey = Infer<typeof GitKey>;

/** Both halves as OpenSSH writes them (docs/protocol/rest.md §2.7). */
export const GitKeyPair = Type.Object({
  public_key: Type.String(),
  private_key: Type.String(),
});
export type GitKeyPair = Infer<typeof GitKeyPair>;
