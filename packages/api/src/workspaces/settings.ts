import { Type } from "typebox";

import { nullable, oneOf, Timestamp } from "../contract/scalars.ts";

export const RenameWorkspaceRequest = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 256 })),
});

export const AutomaticUpdatesRequest = Type.Object({
  automatic_updates: oneOf("always", "never"),
});

/** Null or 0 clears the setting. */
export const TtlRequest = Type.Object({
  ttl_ms: Type.Optional(nullable(Type.Integer())),
});

/** A cron expression of five fields with `CRON_TZ=` before it, such as `CRON_TZ=Europe/Berlin 30 9 * * 1-5`. */
export const AutostartRequest = Type.Object({
  schedule: Type.Optional(nullable(Type.String({ maxLength: 256 }))),
});

export const ExtendRequest = Type.Object({ deadline: Timestamp });

export const DormantRequest = Type.Object({ dormant: Type.Boolean() });

export const ResolveAutostartResponse = Type.Object({ parameter_mismatch: Type.Boolean() });
