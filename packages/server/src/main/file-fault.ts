import { getSystemErrorMessage } from "node:util";

/**
 * Describes a refusal of the system to read or write a file, with the file if it is known: `no space left on device:
 * /srv/slipway/runtime`. Returns undefined for other errors.
 */
export function fileFault(error: unknown): string | undefined {
  if (!(error instanceof Error && "errno" in error && typeof error.errno === "number")) return;
  const reason = getSystemErrorMessage(error.errno);
  // A copy fails on the side of the new file.
  const file = ["dest", "path"].map((name): unknown => Reflect.get(error, name)).find(isText);
  return file === undefined ? reason : `${reason}: ${file}`;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
