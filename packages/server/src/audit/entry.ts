import type { AuditAction, AuditResourceType } from "@slipway/api";

/** What somebody did to a thing. */
export interface AuditEntry {
  /** Who did it. */
  readonly userId: string;
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

export type AuditDiff = Readonly<Record<string, AuditChange>>;

export interface AuditChange {
  readonly old: unknown;
  readonly new: unknown;
  readonly secret: boolean;
}
