import type { IncomingMessage } from "node:http";

const maxErrorBodyBytes = 64 * 1024;

/** Reads the body of an error answer, up to a length that a person would read. */
export async function readErrorBody(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > maxErrorBodyBytes) break;
  }
  return text;
}

/**
 * Returns the message of a server's error body; undefined when it is not one, and the answer is from no server of ours.
 */
export function messageOf(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) {
      return String(parsed.message);
    }
  } catch {
    // Not JSON: a proxy's page, perhaps.
  }
  return undefined;
}
