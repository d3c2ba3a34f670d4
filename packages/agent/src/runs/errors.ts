import { ApiError } from "../http/errors.ts";

/** The reasons why a request for a run fails, for programs (docs/runs.md#errors). */
export type RunErrorCode =
  | "invalid-request"
  | "not-found"
  | "gone"
  | "id-taken"
  | "forgotten"
  | "too-many-runs"
  | "spawn-failed"
  | "user-not-allowed"
  | "not-running"
  | "no-terminal"
  | "input-gap"
  | "input-closed"
  | "input-full"
  | "seq-in-future";

const statuses: Readonly<Record<RunErrorCode, number>> = {
  "invalid-request": 400,
  "not-found": 404,
  gone: 410,
  "id-taken": 409,
  forgotten: 410,
  "too-many-runs": 429,
  "spawn-failed": 422,
  "user-not-allowed": 403,
  "not-running": 409,
  "no-terminal": 409,
  "input-gap": 409,
  "input-closed": 409,
  "input-full": 429,
  "seq-in-future": 400,
};

/** The refusal of a request for a run, as the answer to it. */
export function runError(code: RunErrorCode, message: string, detail?: string): ApiError {
  const options = detail === undefined ? {} : { detail };
  return new ApiError(statuses[code], message, { ...options, reason: code });
}
