import type { ResponseOf } from "@slipway/api/contract/route";
import type { getHealthReport } from "@slipway/api/deployment/routes";
import {
  abortable,
  errorText,
  systemClock,
  untrustedAuthorityHint,
  withDeadline,
} from "@slipway/runtime";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { checkProvisioners } from "./provisioner-health.ts";

type Report = ResponseOf<typeof getHealthReport>;

interface HealthFacts {
  readonly version: string;
  readonly accessUrl: string;
  readonly now: number;
}

/** The timeout of the database, and of this server at its own address, in milliseconds. */
const healthTimeoutMs = 2_000;
/** The latency from which the database counts as slow, in milliseconds. */
const slowDatabaseMs = 15;

/** Checks the database and the address that agents connect to. */
export async function reportHealth(db: Queryable, facts: HealthFacts): Promise<Report> {
  const [database, accessUrl, provisioners] = await Promise.all([
    checkDatabase(db),
    checkAccessUrl(facts.accessUrl),
    readProvisioners(db, facts),
  ]);
  const found = new Set([database.severity, accessUrl.severity, provisioners.severity]);
  const severity = (["error", "warning"] as const).find((level) => found.has(level));
  return {
    time: timestampFromMs(facts.now),
    healthy: severity !== "error",
    severity: severity ?? "ok",
    access_url: accessUrl,
    database,
    provisioner_daemons: provisioners,
    coder_version: facts.version,
  };
}

/** Runs an empty query; resolves to its duration in milliseconds. Throws when no answer comes in time. */
export async function pingDatabase(db: Queryable): Promise<number> {
  const startedAt = performance.now();
  const answer = sql`select 1`.execute(db);
  await withDeadline(healthTimeoutMs, systemClock, (limit) => abortable(answer, limit), "answer");
  return performance.now() - startedAt;
}

async function checkDatabase(db: Queryable): Promise<Report["database"]> {
  try {
    const ms = await pingDatabase(db);
    const isSlow = ms > slowDatabaseMs;
    const message = `the database took ${Math.round(ms)} ms, expected at most ${slowDatabaseMs} ms`;
    return {
      healthy: true,
      severity: isSlow ? "warning" : "ok",
      warnings: isSlow ? [{ code: "EDB02", message }] : [],
      dismissed: false,
      reachable: true,
      latency: `${ms.toFixed(3)}ms`,
      latency_ms: Math.round(ms),
      threshold_ms: slowDatabaseMs,
    };
  } catch (error) {
    return {
      ...failed(error),
      reachable: false,
      latency: "0s",
      latency_ms: 0,
      threshold_ms: slowDatabaseMs,
    };
  }
}

/** Checks the provisioners. Without the database nothing is known of them. */
async function readProvisioners(
  db: Queryable,
  { version }: HealthFacts,
): Promise<Report["provisioner_daemons"]> {
  const answer = checkProvisioners(db, version);
  try {
    return await withDeadline(
      healthTimeoutMs,
      systemClock,
      (limit) => abortable(answer, limit),
      "answer",
    );
  } catch (error) {
    return { ...failed(error), online: 0 };
  }
}

const maxAnswerLength = 200;

async function checkAccessUrl(accessUrl: string): Promise<Report["access_url"]> {
  try {
    const response = await fetch(`${accessUrl}/healthz`, {
      redirect: "manual",
      signal: AbortSignal.timeout(healthTimeoutMs),
    });
    const answer = (await response.text()).slice(0, maxAnswerLength);
    const code = "EACS04";
    const message = `${accessUrl}/healthz answered ${response.status}, expected 200`;
    return {
      healthy: response.ok,
      severity: response.ok ? "ok" : "warning",
      warnings: response.ok ? [] : [{ code, message }],
      dismissed: false,
      access_url: accessUrl,
      reachable: true,
      status_code: response.status,
      healthz_response: answer,
    };
  } catch (error) {
    return {
      ...failed(error),
      access_url: accessUrl,
      reachable: false,
      status_code: 0,
      healthz_response: "",
    };
  }
}

/** Returns the fields common to the sections of a failed check. */
function failed(
  error: unknown,
): Omit<Report["database"], "reachable" | "latency" | "latency_ms" | "threshold_ms"> {
  const hint = untrustedAuthorityHint(error);
  return {
    healthy: false,
    severity: "error",
    warnings: [],
    dismissed: false,
    error: hint === undefined ? errorText(error) : `${errorText(error)} (${hint})`,
  };
}
