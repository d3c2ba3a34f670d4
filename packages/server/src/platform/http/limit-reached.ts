import { type LimitName, limitVariable } from "../config/limits.ts";
import { HttpError } from "./errors.ts";

interface ReachedLimit {
  /** 409 for what is kept, 429 for what ends by itself. */
  readonly status: 409 | 429;
  readonly name: LimitName;
  /** The limit in words: `100 workspaces per user`. */
  readonly limit: string;
  /** What there is now: `ann has 100`. */
  readonly used: string;
  /** What the caller can do about it, as a sentence. */
  readonly advice: string;
}

/** The refusal of a request that would go over a limit of the operator. */
export class LimitReached extends HttpError {
  constructor({ status, name, limit, used, advice }: ReachedLimit) {
    super(status, `The limit of ${limit} is reached.`, {
      detail: `${used}. ${advice} An administrator can raise ${limitVariable(name)}.`,
    });
  }
}
