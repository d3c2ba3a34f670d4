import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

import { readChoice, type Report, type SettingSource } from "./setting-source.ts";

/** The driver that carries out Terraform configurations. */
export interface TerraformSettings {
  /** The program, or the reason why the driver is off, as it follows its name. */
  readonly program: { readonly path: string } | { readonly refusal: string };
  /** The program's own configuration file; undefined for none. */
  readonly configFile: string | undefined;
  /** The variables that runs get from the server's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** True if the runs of each workspace have their own user; requires a server running as root. */
  readonly hasOwnUsers: boolean;
}

const programs = ["tofu", "terraform"];

export function readTerraformSettings(source: SettingSource, report: Report): TerraformSettings {
  const configFile = source["SLIPWAY_TERRAFORM_CONFIG"] ?? "";
  return {
    program: findProgram(source),
    configFile: configFile === "" ? undefined : resolve(configFile),
    environment: readEnvironment(source, report),
    hasOwnUsers:
      readChoice(source, "SLIPWAY_TERRAFORM_USERS", ["own", "server"], "own", report) === "own",
  };
}

/** Finds the program: the configured one, or the first on the `PATH`. Its version is checked when it first runs. */
function findProgram(source: SettingSource): TerraformSettings["program"] {
  const given = source["SLIPWAY_TERRAFORM"] ?? "";
  if (given === "off") return { refusal: "is turned off on this server (SLIPWAY_TERRAFORM)" };
  if (given !== "") return { path: resolve(given) };
  const directories = (source["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const path = programs
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find(isExecutable);
  if (path !== undefined) return { path };
  return {
    refusal:
      "needs OpenTofu or Terraform on the server's machine: install one of them on its PATH, or set SLIPWAY_TERRAFORM to its path",
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent, or not for us
  }
}

function readEnvironment(source: SettingSource, report: Report): Readonly<Record<string, string>> {
  const name = "SLIPWAY_TERRAFORM_ENV";
  const names = (source[name] ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const isOurs = (word: string): boolean => word.startsWith("SLIPWAY_");
  if (!names.every((word) => /^[A-Za-z_]\w*$/.test(word) && !isOurs(word))) {
    report(
      name,
      "names of variables such as AWS_PROFILE,HTTPS_PROXY, none of which is a setting of the server",
    );
  }
  return Object.fromEntries(
    names.flatMap((word) => {
      const value = source[word];
      return value === undefined ? [] : [[word, value]];
    }),
  );
}
