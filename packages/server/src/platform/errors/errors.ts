import type { Validation } from "@slipway/api/contract/api-error";

/** The kinds of refusals. Each boundary translates them: `platform/http` has the status of each. */
export type RefusalCode =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "not-ready"
  | "conflict"
  | "gone"
  | "precondition-failed"
  | "too-large"
  | "unprocessable"
  | "limit-reached"
  | "too-many-at-once"
  | "rate-limited"
  | "no-space"
  | "unreachable"
  | "unavailable";

/** The facts about a refusal for programs, in requests that reach into a workspace. */
export interface RefusalFacts {
  readonly code: string;
  /** True if the same request may succeed later. */
  readonly retryable: boolean;
  /** Tells whether the workspace has carried the request out. */
  readonly admitted: "yes" | "no" | "unknown";
}

interface RefusalOptions {
  /** More information: the reason, or the next step. */
  readonly detail?: string;
  /** The fields at fault, each with its fault. */
  readonly validations?: readonly Validation[];
  /** The challenge for the client, as in RFC 9110 section 11.6.1. */
  readonly challenge?: string;
  readonly retryAfterSeconds?: number;
  readonly facts?: RefusalFacts | undefined;
  readonly cause?: unknown;
}

/** A request that is not carried out, and the reason in words for the caller. */
export abstract class Refusal extends Error {
  abstract override readonly name: string;
  abstract readonly code: RefusalCode;
  readonly detail: string | undefined;
  readonly validations: readonly Validation[];
  readonly challenge: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly facts: RefusalFacts | undefined;

  constructor(message: string, options: RefusalOptions = {}) {
    super(message, { cause: options.cause });
    this.detail = options.detail;
    this.validations = options.validations ?? [];
    this.challenge = options.challenge;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.facts = options.facts;
  }
}

/** A request that is wrong in itself: the value of a field, or an action that the current state does not allow. */
export class Invalid extends Refusal {
  override readonly name = "Invalid";
  override readonly code = "invalid";
}

/** A caller who has not proved who they are. */
export class Unauthenticated extends Refusal {
  override readonly name = "Unauthenticated";
  override readonly code = "unauthenticated";
}

/** A browser with several sessions, of which all but one may have been set by a page of another host. */
export class SeveralSessions extends Refusal {
  override readonly name = "SeveralSessions";
  override readonly code = "unauthenticated";
  /** Cookies that delete them. */
  readonly cookies: readonly string[];

  constructor(cookies: readonly string[]) {
    super("This browser sent several session cookies that differ, so none of them counts.", {
      detail:
        "A page of another host may have set one of them. They were deleted: please log in again.",
    });
    this.cookies = cookies;
  }
}

/** A caller without the right to what they request. */
export class Forbidden extends Refusal {
  override readonly name = "Forbidden";
  override readonly code = "forbidden";
}

/** Something that does not exist, or that the caller may not know about. */
export class NotFound extends Refusal {
  override readonly name = "NotFound";
  override readonly code = "not-found";
}

/** Something that is still being prepared: the same request succeeds later. */
export class NotReady extends Refusal {
  override readonly name = "NotReady";
  override readonly code = "not-ready";
}

/** A request that conflicts with the current state, such as a name that is taken. */
export class Conflict extends Refusal {
  override readonly name = "Conflict";
  override readonly code = "conflict";
}

/** Something that was deleted. */
export class Gone extends Refusal {
  override readonly name = "Gone";
  override readonly code = "gone";
}

/** A job that is not in the state that the request expects. */
export class PreconditionFailed extends Refusal {
  override readonly name = "PreconditionFailed";
  override readonly code = "precondition-failed";
}

/** A request that exceeds a fixed size. */
export class TooLarge extends Refusal {
  override readonly name = "TooLarge";
  override readonly code = "too-large";
}

/** A valid request whose answer takes too much work. */
export class Unprocessable extends Refusal {
  override readonly name = "Unprocessable";
  override readonly code = "unprocessable";
}

/** A change for which the disk of a workspace has no room. */
export class NoSpace extends Refusal {
  override readonly name = "NoSpace";
  override readonly code = "no-space";
}

/** A workspace whose agent the server cannot reach. */
export class Unreachable extends Refusal {
  override readonly name = "Unreachable";
  override readonly code = "unreachable";
}

/** A caller who makes this request too often. */
export class RateLimited extends Refusal {
  override readonly name = "RateLimited";
  override readonly code = "rate-limited";
}

/** A server that is too busy for the request, or lacks something that the request needs. */
export class Unavailable extends Refusal {
  override readonly name = "Unavailable";
  override readonly code = "unavailable";
}

/** Returns the refusal that does not reveal whether something exists. */
export function notFound(): NotFound {
  return new NotFound("Resource not found or you do not have access to this resource");
}

/** Resolves to the result, or to undefined if it was not found; throws any other error, such as an outage. */
export async function ifFound<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

const validationFailed = "Validation failed.";

/** Returns the refusal of a request with one invalid field. */
export function invalidField(
  field: string,
  detail: string,
  message: string = validationFailed,
): Invalid {
  return new Invalid(message, { validations: [{ field, detail }] });
}

export function invalidFields(validations: readonly Validation[]): Invalid {
  return new Invalid(validationFailed, { validations });
}

/** Returns the refusal of a value that is already taken. */
export function takenField(field: string, message: string): Conflict {
  const detail = "This value is already in use and should be unique.";
  return new Conflict(message, { validations: [{ field, detail }] });
}

/** Returns the refusal of a caller who lacks a right; `detail` says who has it. */
export function forbidden(detail: string): Forbidden {
  return new Forbidden("Forbidden.", { detail });
}
