import { provisionerKeyHeader } from "@slipway/api/contract/route";
import type { ProvisionerKey } from "@slipway/api/jobs/provisioner";
import {
  createProvisionerKey,
  listProvisionerKeys,
  serveProvisioner,
} from "@slipway/api/organizations/provisioner-routes";
import type { ApiClient } from "@slipway/sdk/http";
import { type MessageSocket, openSocket } from "@slipway/sdk/stream";
import type { Locator, Page } from "playwright-core";
import { onTestFinished } from "vitest";

/* Provisioner keys, through the API and on their page. */

const params = { organization: "default" };

/** Creates a key of the tag region=eu; resolves to its secret. */
export async function makeKey(client: ApiClient, name: string): Promise<string> {
  const body = { name, tags: { region: "eu" } };
  return (await client.call(createProvisionerKey, { params, body })).key;
}

export async function findKey(
  client: ApiClient,
  name: string,
): Promise<ProvisionerKey | undefined> {
  const keys = await client.call(listProvisionerKeys, { params });
  return keys.find((one) => one.name === name);
}

/** Connects as a provisioner that does no job, until the end of the test. */
export async function connectProvisioner(
  client: ApiClient,
  key: string,
  name: string,
  build = "1.2.3",
): Promise<MessageSocket> {
  const query = { protocol: "1", build, id: crypto.randomUUID(), name };
  const url = client.url(serveProvisioner, { params, query });
  const { signal } = new AbortController();
  const socket = await openSocket(url, { headers: { [provisionerKeyHeader]: key }, signal });
  onTestFinished(() => socket.close());
  return socket;
}

/** Returns the row of a key or, in the other table, of a provisioner. */
export function row(
  page: Page,
  name: string | RegExp,
  table: "Provisioner keys" | "Provisioners" = "Provisioner keys",
): Locator {
  return page.getByRole("table", { name: table }).getByRole("row", { name });
}

/** Opens the form of a new key, and fills it in. */
export async function fillKeyForm(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Tags").fill("region=us");
  return form;
}

/** Opens the question about the deletion of a key. */
export async function askToDelete(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name: `Delete ${name}`, exact: true }).click();
  return page.getByRole("dialog", { name: `Delete ${name}?` });
}
