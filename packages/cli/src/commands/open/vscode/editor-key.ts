import { createKey, deleteKey } from "@slipway/api";
import { errorText } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import type { Output } from "../../../terminal/output.ts";

/** The longest wait for the removal of a key, in milliseconds. */
const removalMs = 5_000;

/** Creates a key for an editor. */
export async function createEditorKey(client: ApiClient, signal: AbortSignal): Promise<string> {
  return (await client.call(createKey, { params: { user: "me" }, signal })).key;
}

/** Removes a key that no editor got, also while the command is interrupted; reports a failure. */
export async function removeEditorKey(client: ApiClient, key: string, err: Output): Promise<void> {
  const [id = ""] = key.split("-");
  try {
    const signal = AbortSignal.timeout(removalMs);
    await client.call(deleteKey, { params: { user: "me", key: id }, signal });
  } catch (error) {
    err.line(err.colors.yellow(`the editor's token ${id} was not removed: ${errorText(error)}`));
  }
}
