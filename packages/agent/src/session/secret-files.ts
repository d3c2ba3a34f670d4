import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { errorText, type Logger } from "@slipway/runtime";

import { makeDirectories } from "../process/make-directories.ts";
import type { SecretFile } from "./manifest.ts";

/** Writes the owner's secrets; a later one wins over an earlier one of the same path. Failures are only logged. */
export async function writeSecretFiles(
  files: readonly SecretFile[],
  logger: Logger,
): Promise<void> {
  for (const { path, content } of files) {
    try {
      await makeDirectories(dirname(path), 0o700);
      // The mode applies to a new file only: a wider mode of an existing one was deliberate.
      await writeFile(path, content, { mode: 0o600 });
    } catch (error) {
      logger.warn({ path, error: errorText(error) }, "secret file cannot be written");
    }
  }
}
