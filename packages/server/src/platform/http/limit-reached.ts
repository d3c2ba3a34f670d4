import { type LimitName, limitVariable } from "../config/limits.ts";
import { HttpError } from "./errors.ts";

interface ReachedLimit {
  /** 409 for stored things, 429 for temporary ones. */
  readonly status: 409 | 429;
  readonly name: LimitName;
  /** The limit in words: `100 workspaces per user`. */
  readonly limit: string;
  /** The current usage: `ann has 100`. */
  readonly used: string;
  /** A sentence about what the caller can do. */
  readonly advice: string;
}

/** The refusal of a request that would exceed a limit set by the operator. */
export class LimitReached extends HttpError {
  constructor({ status, name, limit, used, advice }: ReachedLimit) {
    super(status, `The limit of ${limit} is reached.`, {
      detail: `${used}. ${advice} An administrator can raise ${limitVariable(name)}.`,
    });
  }
}
