import { CodedError } from "@slipway/runtime";

/** The error codes of OAuth 2 (RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2). */
type OauthErrorCode =
  | "access_denied"
  | "invalid_client"
  | "invalid_client_metadata"
  | "invalid_grant"
  | "invalid_redirect_uri"
  | "invalid_request"
  | "invalid_scope"
  | "invalid_target"
  | "unsupported_grant_type"
  | "unsupported_response_type";

/** A request of a program that is refused; its message is the `error_description`. */
export class OauthError extends CodedError<OauthErrorCode> {
  override readonly name = "OauthError";
}
