import { CodedError } from "@slipway/runtime";

/**
 * The reason why a provider gave no usable answer:
 * - `refused`: it refused the request for the reason that it names.
 * - `unreachable`: it did not respond in time, or reports an internal error; later attempts may succeed.
 * - `malformed`: its answer is too long or violates the protocol.
 */
type ProviderErrorCode = "refused" | "unreachable" | "malformed";

/** A failed request to a provider. Its message never contains a token, a code or the client's secret. */
export class ProviderError extends CodedError<ProviderErrorCode> {
  override readonly name = "ProviderError";
  /** The error code of OAuth 2 (RFC 6749 section 5.2), such as `invalid_grant`; undefined if it named none. */
  readonly reason: string | undefined;

  constructor(code: ProviderErrorCode, message: string, reason?: string) {
    super(code, message);
    this.reason = reason;
  }

  get retryable(): boolean {
    return this.code === "unreachable";
  }
}
