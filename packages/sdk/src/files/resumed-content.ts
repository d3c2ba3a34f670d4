import { readFile } from "@slipway/api/agents/file-routes";
import { type BackoffPolicy, Backoff, webClock } from "@slipway/runtime";

import type { ApiClient, StreamedAnswer } from "../http/client.ts";
import { ApiError, ConnectError } from "../http/errors.ts";
import { FileChangedError } from "./errors.ts";
import type { ReadOptions } from "./file-options.ts";

/** The pauses before a content that broke off is continued; it is given up after several without a byte. */
const resuming: BackoffPolicy = { firstMs: 200, maxMs: 5_000, factor: 2, jitter: 0.2 };
const maxFailures = 8;
const never = new AbortController().signal;

interface RangeRead extends ReadOptions {
  readonly path: string;
  readonly params: { readonly agent: string };
}

interface ResumedRead extends RangeRead {
  readonly etag: string;
  readonly size: number | undefined;
}

/** Opens a range of a file. Throws `FileChangedError` if the file is not the one that is required. */
export async function openRange(
  client: ApiClient,
  { path, params, offset, limit, ifMatch, signal = never }: RangeRead,
): Promise<StreamedAnswer> {
  const query = {
    path,
    ...(offset === undefined ? {} : { offset: String(offset) }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
  };
  const headers = ifMatch === undefined ? {} : { "If-Match": ifMatch };
  return changedFrom(path, () => client.openDownload(readFile, { params, query, headers, signal }));
}

/** Yields a content; one that breaks off is continued at the next byte of the same file. */
export async function* resumedContent(
  client: ApiClient,
  first: StreamedAnswer,
  read: ResumedRead,
): AsyncGenerator<Uint8Array> {
  const { offset = 0, size, etag, signal = never } = read;
  const backoff = new Backoff(resuming);
  let received = 0;
  let failures = 0;
  for (let answer: StreamedAnswer | undefined = first; ;) {
    try {
      answer ??= await openRange(client, {
        ...read,
        offset: offset + received,
        ...(size === undefined ? {} : { limit: size - received }),
        ifMatch: etag,
      });
      for await (const chunk of answer.content) {
        received += chunk.length;
        failures = 0;
        backoff.reset();
        yield chunk;
      }
      return;
    } catch (error) {
      // A file without a size cannot be continued.
      const mayResume = size !== undefined && isLost(error) && failures < maxFailures;
      if (!mayResume) throw error;
      if (received === size) return;
      failures += 1;
      answer = undefined;
      await webClock.sleep(backoff.next(), signal);
    }
  }
}

/** Returns whether the way to the file was lost, rather than the file. */
function isLost(error: unknown): boolean {
  return error instanceof ConnectError || (error instanceof ApiError && error.retryable);
}

/** Translates the error of a call whose condition the file does not meet. */
export async function changedFrom<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 412) throw error;
    throw new FileChangedError(path, { cause: error });
  }
}
