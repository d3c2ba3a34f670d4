import type { ErrorBody } from "@slipway/api/contract/api-error";
import { ApiError, ConnectError } from "@slipway/sdk/http";

interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the part that has been sent, from 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

/**
 * Sends a file to a route by PUT. Unlike `fetch`, this tells how far it is, and needs no HTTP/2 to send what does not fit
 * into memory. Rejects with `ApiError` and `ConnectError`.
 */
export function sendFile(url: string, file: Blob, options: SendOptions = {}): Promise<void> {
  const { headers = {}, onProgress } = options;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress?.(total === 0 ? 1 : loaded / total),
    );
    request.addEventListener("error", () => reject(new ConnectError(url, { cause: undefined })));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new ApiError(request.status, bodyOf(request)));
    });
    request.send(file);
  });
}

function bodyOf({ responseText, status }: XMLHttpRequest): ErrorBody {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- answers are trusted to follow the contract
    return JSON.parse(responseText) as ErrorBody;
  } catch {
    return { message: `The server answers with ${String(status)}.` };
  }
}
