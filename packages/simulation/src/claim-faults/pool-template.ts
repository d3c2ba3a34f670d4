import type { BodyOf } from "@slipway/api/contract/route";
import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import type { createWorkspace } from "@slipway/api/workspaces/routes";
import type { ApiClient } from "@slipway/sdk/http";
import { pushTemplate } from "@slipway/testkit";

import { passScript } from "./pass.ts";

/** The request of a claim, without the name. */
export type ClaimRequest = Omit<BodyOf<typeof createWorkspace>, "name">;

/** Pushes a template whose pool keeps `instances` workspaces waiting, and whose agents' scripts write lines. */
export async function pushPool(admin: ApiClient, instances: number): Promise<ClaimRequest> {
  const definition = {
    driver: "external",
    presets: { ready: { prebuilds: { instances } } },
    agents: {
      main: {
        os: "linux",
        arch: "amd64",
        scripts: {
          start: { run_on: ["start"], run: passScript("start") },
          stop: { run_on: ["stop"], run: passScript("stop") },
        },
      },
    },
  };
  // JSON is valid YAML.
  const templateId = await pushTemplate(admin, "pool", JSON.stringify(definition));
  const template = await admin.call(getTemplate, { params: { template: templateId } });
  const params = { version: template.active_version_id };
  const [preset] = await admin.call(listTemplateVersionPresets, { params });
  if (preset === undefined) throw new Error("template has no preset");
  return { template_id: templateId, template_version_preset_id: preset.ID };
}
