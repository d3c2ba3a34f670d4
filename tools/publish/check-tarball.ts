import { readFile } from "node:fs/promises";

import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** The resolutions without ES modules, which these packages do not serve; CommonJS on Node.js 24 can require them. */
const unserved: ReadonlySet<string> = new Set(["node10", "node16-cjs"]);

/** Checks the manifest and the declarations of a package. Throws with everything that is wrong. */
export async function checkTarball(path: string): Promise<void> {
  const tarball = new Uint8Array(await readFile(path));
  const problems = [...(await manifestProblems(tarball)), ...(await typeProblems(tarball))];
  if (problems.length === 0) return;
  throw new Error([`${path} is not fit to be published:`, ...problems].join("\n  "));
}

async function manifestProblems({ buffer }: Uint8Array<ArrayBuffer>): Promise<readonly string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  return messages.map((message) => formatMessage(message, pkg) ?? message.code);
}

async function typeProblems(tarball: Uint8Array): Promise<readonly string[]> {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (result.types === false) return ["it has no declarations"];
  return result.problems.flatMap((problem) => {
    const resolution = "resolutionKind" in problem ? problem.resolutionKind : "any";
    return unserved.has(resolution) ? [] : [`${problem.kind} with the resolution ${resolution}`];
  });
}
