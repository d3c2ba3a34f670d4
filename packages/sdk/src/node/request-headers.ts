/* The headers that a proxy in front of the server requires on every request (docs/protocol/clients.md §0.1). */

export type RequestHeaders = Readonly<Record<string, string>>;

/** A fault of headers: they are malformed, or their command failed. The message contains none of their values. */
export class RequestHeaderError extends Error {
  override readonly name = "RequestHeaderError";
  readonly code = "request-header-error";
}

/** Characters that a header name may hold (RFC 9110, 5.6.2). */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Characters that a header value may hold (RFC 9110, 5.5). */
const headerValue = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
const maxOutputBytes = 64 * 1024;

/** Splits the text of a variable: at its line ends if it has any, for values that hold commas, otherwise at commas. */
export function splitHeaders(text: string): readonly string[] {
  return text.split(text.includes("\n") ? "\n" : ",").filter((part) => part.trim() !== "");
}

/** Parses items of the form `key=value`; `source` names them in the `RequestHeaderError` of a malformed one. */
export function parseHeaders(items: readonly string[], source: string): RequestHeaders {
  return Object.fromEntries(
    items.map((item, index) => {
      const header = parseHeader(item);
      if (header !== undefined) return header;
      // The value may be a secret: only the number of the item is reported.
      throw new RequestHeaderError(`item ${index + 1} of ${source} is not key=value`);
    }),
  );
}

function parseHeader(text: string): readonly [string, string] | undefined {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0)).trim();
  const value = text.slice(at + 1).trim();
  return headerName.test(name) && headerValue.test(value) ? [name, value] : undefined;
}

export interface HeaderCommandOptions {
  /** Passed to the command as `CODER_URL`. */
  readonly serverUrl: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/**
 * Runs a command of the shell and returns the headers that it prints, one `key=value` a line. Throws
 * `RequestHeaderError`, and the signal's reason.
 */
export async function runHeaderCommand(
  command: string,
  { serverUrl, environment, signal }: HeaderCommandOptions,
): Promise<RequestHeaders> {
  const [shell, flag] = process.platform === "win32" ? ["cmd.exe", "/c"] : ["sh", "-c"];
  const env = { ...environment, CODER_URL: serverUrl };
  const options = { env, maxBuffer: maxOutputBytes, ...(signal === undefined ? {} : { signal }) };
  // Hardly anyone has one, and an agent must start fast.
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  const execute = promisify(execFile);
  const { stdout } = await execute(shell, [flag, command], options).catch((error: unknown) => {
    signal?.throwIfAborted();
    // The error holds the command line, which may have a secret.
    throw new RequestHeaderError(`the header command failed with ${codeOf(error)}`);
  });
  const lines = stdout.split(/\r?\n/).filter((line) => line !== "");
  return parseHeaders(lines, "the header command's output");
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? `code ${String(error.code)}` : "an error";
}
