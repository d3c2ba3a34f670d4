import {
  createProvisionerKey,
  deleteProvisionerKey,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";

import type { Routes } from "../../platform/http/routes.ts";
import { readTags } from "../../platform/jobs/tags.ts";
import { findOrganization } from "../organizations/service.ts";
import { createKey, deleteKey, type KeyNeeds, listKeys } from "./key-service.ts";

/** Adds the routes about the keys of provisioners. */
export function addKeyRoutes(routes: Routes, needs: KeyNeeds): void {
  const { db } = needs;
  routes.user(createProvisionerKey, async ({ params, body }, user) => {
    const { id: organizationId } = await findOrganization(db, params.organization);
    const tags = readTags("tags", body.tags);
    return { key: await createKey(needs, user, { organizationId, name: body.name, tags }) };
  });
  routes.user(listProvisionerKeys, async ({ params }, user) => {
    const { id } = await findOrganization(db, params.organization);
    return listKeys(needs, user, id);
  });
  routes.user(deleteProvisionerKey, async ({ params }, user) => {
    const { id: organizationId } = await findOrganization(db, params.organization);
    await deleteKey(needs, user, { organizationId, reference: params.key });
    return null;
  });
}
