import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

import { nameProblem } from "@slipway/api/contract/name";
import { systemErrorCode } from "@slipway/runtime";

import { CommandError, UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";

/** The file that makes a directory a template. */
export const templateFileName = "slipway.yaml";

/** The source of a push: a directory, or one file in place of `slipway.yaml`. */
export interface TemplateSource {
  readonly kind: "directory" | "file";
  readonly path: string;
  /** Path of the template's own file, as the user would write it. */
  readonly templatePath: string;
}

/** The template to push: the path of its files, and its name if it differs. */
interface LocatedTemplate {
  readonly path: string;
  readonly template: string | undefined;
}

/**
 * Distinguishes a name from a path. A word with a slash, a dot or the extension of a YAML file is a path; any other is
 * the name of the template, whose files are in `directory`, in the directory of that name or, if that is not a template,
 * in the current directory.
 */
export async function locateTemplate({
  template,
  directory,
}: {
  readonly template: string | undefined;
  readonly directory: string | undefined;
}): Promise<LocatedTemplate> {
  if (directory !== undefined) return { path: directory, template };
  if (template === undefined) return { path: ".", template };
  if (/[/\\]|^\.|\.ya?ml$/.test(template)) return { path: template, template: undefined };
  const isBelow =
    (await statOf(join(template, templateFileName))) !== undefined ||
    (await hasConfiguration(template));
  return { path: isBelow ? template : ".", template };
}

/** Opens the source of a push. Throws `CommandError` if it is not a template. */
export async function openSource(path: string): Promise<TemplateSource> {
  const found = await statOf(path);
  if (found === undefined) {
    throw new CommandError(`${path} does not exist`, { exitCode: exitCodes.notFound });
  }
  if (!found.isDirectory()) return { kind: "file", path, templatePath: path };
  const templatePath = join(path, templateFileName);
  if ((await statOf(templatePath)) === undefined && !(await hasConfiguration(path))) {
    const place = path === "." ? "this directory" : path;
    throw new CommandError(
      `${place} has no ${templateFileName} and no .tf files, so it is not a template`,
      {
        hint:
          path === "."
            ? "change to the template's directory, or pass it with --directory"
            : `create one with: slipway templates init ${path}`,
      },
    );
  }
  return { kind: "directory", path, templatePath };
}

/** Returns the template's name: the given one, or that of the source. Throws `UsageError` for an invalid name. */
export function templateName(source: TemplateSource, given: string | undefined): string {
  const name = given ?? basename(resolve(source.path)).replace(/(\.slipway)?\.ya?ml$/, "");
  const problem = nameProblem(name);
  if (problem === undefined) return name;
  throw new UsageError(
    `the name of the template ${problem}`,
    given === undefined
      ? `pass a name: slipway templates push <name> --directory ${source.path}`
      : undefined,
  );
}

/** Returns whether a directory has a Terraform configuration. */
async function hasConfiguration(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).some((name) => /\.(tf|tofu)(\.json)?$/.test(name));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return false;
    throw error;
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}
