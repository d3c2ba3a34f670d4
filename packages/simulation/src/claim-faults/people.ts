import {
  createUser,
  getTemplate,
  listTemplateVersionPresets,
  type createWorkspace,
  type BodyOf,
} from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";
import { logIn, logInAsAdmin, pushTemplate } from "@slipway/testkit";

import { passScript } from "./pass.ts";

/** A user who claims. */
export interface Person {
  readonly name: string;
  readonly client: ApiClient;
}

/** The request of a claim, but for the name. */
export type Wish = Omit<BodyOf<typeof createWorkspace>, "name">;

const password = "correct-horse-battery-42";

export async function openPeople(
  serverUrl: string,
  count: number,
): Promise<{ readonly admin: ApiClient; readonly people: readonly Person[] }> {
  const admin = await logInAsAdmin(serverUrl);
  const people: Person[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `user${number}`;
    const email = `${name}@example.com`;
    await admin.call(createUser, { body: { username: name, email, password } });
    people.push({ name, client: await logIn(serverUrl, { email, password }) });
  }
  return { admin, people };
}

/** Pushes a template whose pool keeps this many waiting, and whose agents leave lines of their scripts. */
export async function pushPool(admin: ApiClient, instances: number): Promise<Wish> {
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
  // JSON is YAML.
  const templateId = await pushTemplate(admin, "pool", JSON.stringify(definition));
  const template = await admin.call(getTemplate, { params: { template: templateId } });
  const params = { version: template.active_version_id };
  const [preset] = await admin.call(listTemplateVersionPresets, { params });
  if (preset === undefined) throw new Error("the template has no preset");
  return { template_id: templateId, template_version_preset_id: preset.ID };
}
