import { countText } from "@slipway/runtime";

import { CommandError } from "../../../command/errors.ts";
import type { Output } from "../../../terminal/output.ts";

/**
 * Checks a packed template like the server after the upload, except for its driver: only the server knows its
 * drivers. Prints every problem with its place in `templatePath`. Throws `CommandError` if there is one.
 */
export async function checkTemplate(
  tar: Uint8Array,
  templatePath: string,
  err: Output,
): Promise<void> {
  // Loaded only here: it includes a YAML parser and a regular expression engine.
  const { parseTemplateDefinition, problemLine, readTemplateArchive } =
    await import("@slipway/template");
  const files = await readTemplateArchive(tar);
  if ("problem" in files) throw rejection(files.problem);
  // Only the server has the program that reads it.
  if ("configurationFolder" in files) return;
  const parsed = parseTemplateDefinition(files.definitionText, undefined);
  if ("definition" in parsed) return;
  const { problems } = parsed;
  for (const problem of problems) err.line(err.colors.red(problemLine(templatePath, problem)));
  throw rejection(`${templatePath} has ${countText(problems.length, "problem")}`);
}

function rejection(reason: string): CommandError {
  return new CommandError(`${reason}; nothing was uploaded`);
}
