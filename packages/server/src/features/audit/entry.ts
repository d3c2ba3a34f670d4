import type { AuditAction, AuditResourceType } from "@slipway/api";

import type { KeyCreator } from "../../platform/http/caller.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";

/** A record of an action on a resource. */
export interface AuditEntry {
  /** The actor. */
  readonly by: AuditActor;
  readonly organizationId: string | undefined;
  readonly action: AuditAction;
  readonly resourceType: AuditResourceType;
  readonly resourceId: string;
  /** The name of the resource at the time. */
  readonly target: string;
  /** The changes, by field. Never the values of a secret. */
  readonly diff: AuditDiff;
  /** Other details that help a reader. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The actor and the request, as in a `UserCaller`; without a request the server acted on their behalf. */
export interface AuditActor {
  /** Undefined: an unknown person, who failed to log in. */
  readonly id: string | undefined;
  readonly origin: RequestOrigin | undefined;
  /** Another user who created the actor's key. */
  readonly keyCreatedBy?: KeyCreator;
}

export type AuditDiff = Readonly<Record<string, AuditChange>>;

export interface AuditChange {
  readonly old: unknown;
  readonly new: unknown;
  readonly secret: boolean;
}
