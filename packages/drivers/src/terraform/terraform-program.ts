import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { errorText, systemErrorCode } from "@slipway/runtime";

import { DriverError } from "../errors.ts";

/** A program that carries out Terraform configurations. */
export interface TerraformProgram {
  readonly path: string;
  readonly product: "OpenTofu" | "Terraform";
  readonly version: string;
}

/** The oldest release that prints all of its progress as JSON, for both products. */
const oldest = { major: 1, minor: 6 };
const answerMs = 30_000;

/** Asks a program for its version. Throws `DriverError` for one that does not run, or is too old. */
export async function checkProgram(path: string, signal: AbortSignal): Promise<TerraformProgram> {
  const wanted = `wanted OpenTofu or Terraform ${oldest.major}.${oldest.minor} or later; set SLIPWAY_TERRAFORM to its path`;
  const refuse = (found: string, cause?: unknown): never => {
    throw new DriverError("disabled", `${path} ${found}, ${wanted}`, { cause });
  };
  const answer = await askVersion(path, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    const isAbsent = systemErrorCode(error) === "ENOENT";
    return refuse(isAbsent ? "does not exist" : `does not run (${errorText(error)})`, error);
  });
  const [, product, major, minor, rest] =
    /^(OpenTofu|Terraform) v(\d+)\.(\d+)(\.\S+)?/.exec(answer) ?? [];
  if (product !== "OpenTofu" && product !== "Terraform") {
    return refuse(`says ${JSON.stringify(answer.slice(0, 60))} when asked for its version`);
  }
  const version = `${major}.${minor}${rest ?? ""}`;
  const isOld =
    Number(major) < oldest.major ||
    (Number(major) === oldest.major && Number(minor) < oldest.minor);
  if (isOld) return refuse(`is ${product} ${version}`);
  return { path, product, version };
}

async function askVersion(path: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ["version"], {
    // The program would ask its maker for a newer release.
    env: { CHECKPOINT_DISABLE: "1", HOME: "/nonexistent" },
    timeout: answerMs,
    killSignal: "SIGKILL",
    signal,
  });
  return stdout;
}
