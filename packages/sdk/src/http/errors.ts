import type { ErrorBody } from "@slipway/api/contract/api-error";
import { printableLine } from "@slipway/runtime";

/** The knowledge whether the server carried out a call that failed. */
export type Admitted = "yes" | "no" | "unknown";

/** The path of a route, such as `/users/:user`, and the values of its parameters. */
export interface RequestTarget {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

/** An error answer of the server. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;
  readonly body: ErrorBody;
  /** The path of the route, with its parameters. */
  readonly target: RequestTarget | undefined;

  constructor(status: number, body: ErrorBody, target?: RequestTarget) {
    super(messageOf(body));
    this.status = status;
    this.body = body;
    this.target = target;
  }

  /** The code of a request into a workspace, such as `spawn-failed`; `api-error` for others. */
  get code(): string {
    return this.body.code ?? "api-error";
  }

  /** `unknown` for a fault of the server, which may have come after the change; requests into a workspace tell more. */
  get admitted(): Admitted {
    if (this.body.admitted !== undefined) return this.body.admitted;
    return this.status >= 500 ? "unknown" : "no";
  }

  /** True if the same request, unchanged, may succeed later. */
  get retryable(): boolean {
    return this.body.retryable ?? (this.status === 429 || this.status >= 500);
  }
}

/** Returns everything that is said about a failure, some of it by workspaces, in a line that cannot move a terminal. */
function messageOf({ message, detail, validations = [] }: ErrorBody): string {
  const fields = validations.map((one) => `${one.field}: ${one.detail}`);
  const parts = [message, ...(detail === undefined ? [] : [detail]), ...fields];
  return printableLine(parts.join(" "));
}

/** A request without an answer: the address is wrong, the server is down, or the connection broke. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly code = "connect-error";
  readonly retryable = true;
  readonly admitted = "unknown";
  readonly url: string;

  constructor(url: string, options: { readonly cause: unknown }) {
    super(`cannot reach ${url}`, options);
    this.url = url;
  }
}

/** An answer that is not from one of our servers: not JSON, perhaps a page. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  readonly code = "answer-error";
  readonly retryable = false;
  readonly admitted = "unknown";
  readonly url: string;

  constructor(url: string, options: { readonly cause: unknown }) {
    super(`${url} does not answer as a Slipway server does`, options);
    this.url = url;
  }
}

/** Returns whether trying again later can help. */
export function isRetryable(error: unknown): boolean {
  return (error instanceof ApiError || error instanceof ConnectError) && error.retryable;
}
