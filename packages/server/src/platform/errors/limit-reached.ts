import { type LimitName, limitVariable } from "../config/limits.ts";
import { Refusal } from "./errors.ts";

interface ReachedLimit {
  readonly name: LimitName;
  /** True for things that end by themselves, such as builds and streams; false for things that are kept. */
  readonly isTemporary: boolean;
  /** The limit in words: `100 workspaces per user`. */
  readonly limit: string;
  /** The current usage: `ann has 100`. */
  readonly used: string;
  /** A sentence about what the caller can do. */
  readonly advice: string;
}

/** The refusal of a request that would exceed a limit set by the operator. */
export class LimitReached extends Refusal {
  override readonly name = "LimitReached";
  override readonly code: "limit-reached" | "too-many-at-once";

  constructor({ name, isTemporary, limit, used, advice }: ReachedLimit) {
    super(`The limit of ${limit} is reached.`, {
      detail: `${used}. ${advice} An administrator can raise ${limitVariable(name)}.`,
    });
    this.code = isTemporary ? "too-many-at-once" : "limit-reached";
  }
}
