import type { AuditAction, AuditResourceType } from "@slipway/api";

import type { KeyCreator } from "../../platform/http/caller.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";

/** What somebody did to a thing. */
export interface AuditEntry {
  /** Who did it. */
  readonly by: AuditActor;
  readonly organizationId: string | undefined;
  readonly action: AuditAction;
  readonly resourceType: AuditResourceType;
  readonly resourceId: string;
  /** What the thing was called. */
  readonly target: string;
  /** What changed, by field. Never the values of a secret. */
  readonly diff: AuditDiff;
  /** What else helps a reader. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Who did something, and by which request, as a `UserCaller` tells; without one the server did it for him. */
export interface AuditActor {
  /** Undefined: somebody unknown, who failed to log in. */
  readonly id: string | undefined;
  readonly origin: RequestOrigin | undefined;
  /** Another user who made the key that they used. */
  readonly keyCreatedBy?: KeyCreator;
}

export type AuditDiff = Readonly<Record<string, AuditChange>>;

export interface AuditChange {
  readonly old: unknown;
  readonly new: unknown;
  readonly secret: boolean;
}
