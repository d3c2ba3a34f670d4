import {
  listProvisionerDaemons,
  listProvisionerJobs,
} from "@slipway/api/organizations/provisioner-routes";

import type { Database } from "../../platform/db/database.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { listJobs } from "../../platform/jobs/list-service.ts";
import { findOrganization } from "./service.ts";
import { listWorkers } from "./worker-service.ts";

/** Adds the routes about the provisioners of an organization, which are the servers themselves. */
export function addProvisionerRoutes(routes: Routes, db: Database): void {
  routes.user(listProvisionerJobs, async ({ params, query }, user) => {
    const { id } = await findOrganization(db, params.organization);
    return listJobs(db, user, id, query);
  });
  routes.user(listProvisionerDaemons, async ({ params, query }) => {
    const { id } = await findOrganization(db, params.organization);
    return listWorkers(db, id, query);
  });
}
