import { auditActions, auditResourceTypes } from "@slipway/api/audit/audit-log";
import { buildReasons } from "@slipway/api/builds/build";

import {
  gatherSearch,
  readSearchTerms,
  type Search,
  termValues,
} from "../../platform/fields/search-terms.ts";

/** The filter for audit entries. Texts are in lower case. */
export type AuditSearch = Search<AuditConditions>;

/** Conditions of audit entries; undefined fields match everything. */
export interface AuditConditions {
  readonly action?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  /** The name of the resource. */
  readonly target?: string;
  readonly username?: string;
  readonly email?: string;
  readonly buildReason?: string;
  /** RFC 3339, both inclusive. */
  readonly from?: string;
  readonly to?: string;
}

const message = "Invalid audit search query.";
const values = termValues(message);

/**
 * Parses the search language of the audit trail, in which a bare word matches the name of the resource, and terms with a
 * minus sign exclude what they match. Throws `Invalid`.
 */
export function parseAuditSearch(q: string): AuditSearch {
  const terms = readSearchTerms(q, message);
  return gatherSearch<AuditConditions>({}, terms, ({ key = "resource_target", value }) =>
    readTerm(key, value),
  );
}

function readTerm(key: string, value: string): AuditConditions {
  switch (key) {
    case "action":
      return { action: values.oneOf(value, key, auditActions) };
    case "resource_type":
      return { resourceType: values.oneOf(value, key, auditResourceTypes) };
    case "resource_id":
      return { resourceId: values.uuid(value, key) };
    case "resource_target":
      return { target: value };
    case "username":
      return { username: value };
    case "email":
      return { email: value };
    case "build_reason":
      return { buildReason: values.oneOf(value, key, buildReasons) };
    case "date_from":
      return { from: dayOf(key, value, "00:00:00Z") };
    case "date_to":
      return { to: dayOf(key, value, "23:59:59.999999Z") };
    default:
      throw values.invalid(key, `"${key}" is not a valid query param`);
  }
}

function dayOf(key: string, value: string, time: string): string {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
  if (isDay) return `${value}T${time}`;
  throw values.invalid(key, `must be a day such as 2026-01-31, found "${value}"`);
}
