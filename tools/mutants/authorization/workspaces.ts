import type { Mutant } from "../mutant.ts";
import { lists, sockets, statuses } from "./suites.ts";

const workspaces = "packages/server/src/features/workspaces";
const agents = "packages/server/src/features/agents";

/** Holes in the rights to see, change and reach into workspaces. */
export const workspaceHoles: readonly Mutant[] = [
  {
    name: "sees-any-workspace",
    breaks: "a member reads anybody's workspace",
    file: `${workspaces}/service.ts`,
    find: "if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw notFound();",
    replace: "if (row === undefined) throw notFound();",
    suite: statuses,
  },
  {
    name: "watches-any-workspace",
    breaks: "a member watches anybody's workspace over a socket",
    file: `${workspaces}/service.ts`,
    find: "if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw notFound();",
    replace: "if (row === undefined) throw notFound();",
    suite: sockets,
  },
  {
    name: "lists-all-workspaces",
    breaks: "a member lists everybody's workspaces",
    file: `${workspaces}/list-service.ts`,
    find: '!maySeeWorkspacesOf(caller, "")',
    replace: "false",
    suite: lists,
  },
  {
    name: "whoever-sees-a-workspace-changes-it",
    breaks: "a template admin changes everybody's workspaces",
    file: `${workspaces}/service.ts`,
    find: "  if (!mayActFor(caller, row.owner_id))",
    replace: "  if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "credentials-for-whoever-sees",
    breaks: "a template admin reads the token of anybody's agent",
    file: `${workspaces}/external-agent-routes.ts`,
    find: "routes.user(getExternalAgentCredentials, async ({ params, raw }, user) => {\n    const workspace = await requireChangeable(needs.db,",
    replace:
      "routes.user(getExternalAgentCredentials, async ({ params, raw }, user) => {\n    const workspace = await (await import('./service.ts')).requireWorkspace(needs.db,",
    suite: statuses,
  },
  {
    name: "builds-for-anybody",
    breaks: "a member creates workspaces for anybody",
    file: `${workspaces}/routes.ts`,
    find: "ownerId: await findUserId(db, user, params.user)",
    replace:
      "ownerId: (await (await import('../users/service.ts')).findVisibleUser(db, { ...user, roles: ['owner'] }, params.user)).id",
    suite: statuses,
  },
  {
    name: "cancels-any-build",
    breaks: "whoever sees a build cancels it",
    file: "packages/server/src/features/builds/routes.ts",
    find: "if (!mayActFor(user, row.owner_id))",
    replace: "if (user.id === '')",
    suite: statuses,
  },
  {
    name: "reads-any-build",
    breaks: "a member reads anybody's build, its log and its parameters",
    file: "packages/server/src/features/builds/read-service.ts",
    find: "if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw notFound();",
    replace: "if (row === undefined) throw notFound();",
    suite: statuses,
  },
  {
    name: "reads-any-agent",
    breaks: "a member reads anybody's agent, its log and its metadata",
    file: `${agents}/service.ts`,
    find: "place === undefined || !maySeeWorkspacesOf(caller, place.owner_id)",
    replace: "place === undefined",
    suite: statuses,
  },
  {
    name: "reaches-into-whatever-is-seen",
    breaks: "a template admin reaches into anybody's workspace",
    file: `${agents}/network/reach.ts`,
    find: "  if (!mayActFor(user, ownerId)) throw notFound();",
    replace: "",
    suite: sockets,
  },
  {
    name: "removes-containers-of-whatever-is-seen",
    breaks: "a template admin removes dev containers of anybody's workspace",
    file: `${agents}/network/container-routes.ts`,
    find: "      if (!mayActFor(user, place.owner_id)) {",
    replace: "      if (user.id === '') {",
    suite: statuses,
  },
  {
    name: "jobs-of-everybody",
    breaks: "a member lists everybody's jobs",
    file: "packages/server/src/platform/jobs/list-service.ts",
    find: "mayWriteTemplates(caller) ? wanted : caller.id",
    replace: "wanted",
    suite: lists,
  },
];
