import { createHash } from "node:crypto";

import type { DriverBuild, DriverOwner, DriverTemplate } from "../driver-build.ts";
import type { ReadInput } from "../driver.ts";

/** Returns the variables by which the provider learns of a build (docs/protocol/prebuilds.md §1.6). */
export function buildVariables(
  build: DriverBuild,
  stage: BuildStage,
): Readonly<Record<string, string>> {
  const { workspace } = build;
  return {
    CODER_WORKSPACE_TRANSITION: build.transition,
    CODER_WORKSPACE_ID: workspace.id,
    CODER_WORKSPACE_NAME: workspace.name,
    CODER_WORKSPACE_BUILD_ID: build.id,
    ...ownerVariables(workspace.owner),
    ...templateVariables(build.template),
    ...parameterVariables(build.parameters),
    ...(stage === "prebuild" ? { CODER_WORKSPACE_IS_PREBUILD: "true" } : {}),
    ...(stage === "claim" ? { CODER_WORKSPACE_IS_PREBUILD_CLAIM: "true" } : {}),
  };
}

/**
 * Returns the variables for reading a template before there is a workspace, without those of its parameters; the provider makes
 * up the rest.
 */
export function readingVariables({
  template,
  owner,
}: Pick<ReadInput, "template" | "owner">): Readonly<Record<string, string>> {
  return {
    CODER_WORKSPACE_TRANSITION: "start",
    ...templateVariables(template),
    ...(owner === undefined ? {} : ownerVariables(owner)),
  };
}

/** Returns the variables that are the same for every run: where agents reach the server, and how they start. */
export function agentVariables(
  accessUrl: string,
  scripts: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    CODER_AGENT_URL: accessUrl,
    ...Object.fromEntries(
      Object.entries(scripts).map(([platform, text]) => [`CODER_AGENT_SCRIPT_${platform}`, text]),
    ),
  };
}

/** The part of a prebuild's life that a build belongs to. */
export type BuildStage = "none" | "prebuild" | "claim";

/**
 * The variable of the only agent's token: the provider looks for no other, and gives it to all agents
 * (docs/protocol/prebuilds.md §1.6).
 */
export const runningTokenVariable = `CODER_RUNNING_WORKSPACE_AGENT_TOKEN_${hexHash("")}`;

function templateVariables({
  id,
  name,
  version,
}: Pick<DriverTemplate, "id" | "name" | "version">): Readonly<Record<string, string>> {
  return {
    CODER_WORKSPACE_TEMPLATE_ID: id,
    CODER_WORKSPACE_TEMPLATE_NAME: name,
    CODER_WORKSPACE_TEMPLATE_VERSION: version,
  };
}

function ownerVariables(owner: DriverOwner): Readonly<Record<string, string>> {
  return {
    CODER_WORKSPACE_OWNER: owner.username,
    CODER_WORKSPACE_OWNER_ID: owner.id,
    CODER_WORKSPACE_OWNER_NAME: owner.name,
    CODER_WORKSPACE_OWNER_EMAIL: owner.email,
    // There is one group, of all members.
    CODER_WORKSPACE_OWNER_GROUPS: '["Everyone"]',
    CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY: owner.gitKey?.publicKey ?? "",
    CODER_WORKSPACE_OWNER_RBAC_ROLES: JSON.stringify([
      ...[...owner.roles, "member"].map((name) => ({ name, org_id: "" })),
      { name: "organization-member", org_id: owner.organizationId },
    ]),
    CODER_WORKSPACE_OWNER_LOGIN_TYPE: owner.loginType,
  };
}

/** Returns the variables of the chosen values. */
export function parameterVariables(
  parameters: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [`CODER_PARAMETER_${hexHash(name)}`, value]),
  );
}

function hexHash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
