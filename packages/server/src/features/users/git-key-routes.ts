import { getGitKey, regenerateGitKey } from "@slipway/api/users/git-key-routes";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database } from "../../platform/db/database.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { readGitKey, replaceGitKey } from "./git-key-service.ts";
import { findUser } from "./service.ts";

export function addGitKeyRoutes(
  routes: Routes,
  { db, secrets }: { readonly db: Database; readonly secrets: SecretBox },
): void {
  routes.user(getGitKey, async ({ params }, caller) => {
    const user = await findUser(db, caller, params.user);
    return readGitKey(db, secrets, user.id);
  });
  routes.user(regenerateGitKey, async ({ params }, caller) => {
    const user = await findUser(db, caller, params.user);
    return replaceGitKey(db, secrets, caller, user.id);
  });
}
