export interface RequestParts {
  /** The token of a user or of an agent. */
  readonly token?: string | undefined;
  /** Sent unchanged. */
  readonly raw?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined if the body is not JSON. */
  readonly body: unknown;
}

/** Sends a request exactly as given, without a client's normalization. */
export async function wireRequest(
  method: string,
  url: string,
  { token, raw, body }: RequestParts = {},
): Promise<WireAnswer> {
  const response = await fetch(url, {
    method,
    headers: token === undefined ? {} : { "Coder-Session-Token": token },
    body: raw ?? (body === undefined ? null : JSON.stringify(body)),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  const parsed: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, body: parsed };
}
