import { Type } from "typebox";

import type { Infer } from "../contract/scalars.ts";

/** The maximum number of checks in one request. */
const maxAuthChecks = 256;

const text = Type.String({ maxLength: 256 });

/** One permission check: an action on an object. `owner_id` may be `me`. */
export const AuthCheck = Type.Object({
  object: Type.Object({
    resource_type: text,
    owner_id: Type.Optional(text),
    organization_id: Type.Optional(text),
    resource_id: Type.Optional(text),
    any_org: Type.Optional(Type.Boolean()),
  }),
  action: text,
});
export type AuthCheck = Infer<typeof AuthCheck>;

/** Permission checks, by names that the caller chooses (docs/protocol/clients.md §0.6). */
export const AuthCheckRequest = Type.Object({
  checks: Type.Record(Type.String(), AuthCheck, { maxProperties: maxAuthChecks }),
});
