import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type { User } from "@slipway/api/users/user";
import { describe, expect, it } from "vitest";

import { planImport } from "./plan-import.ts";
import type {
  SourceDeployment,
  SourceTemplate,
  SourceUser,
  SourceVersion,
  SourceWorkspace,
} from "./read-source.ts";
import type { TargetDeployment, TargetTemplate, TargetWorkspace } from "./read-target.ts";

const ada: SourceUser = {
  username: "ada",
  email: "ada@example.com",
  name: "Ada",
  loginType: "password",
  isSuspended: false,
  roles: [],
};

const version: SourceVersion = {
  id: "v1",
  name: "first",
  message: "",
  fileId: "f1",
  createdAt: "2026-01-01T00:00:00Z",
  status: "succeeded",
};

const template: SourceTemplate = {
  id: "t1",
  name: "box",
  provisioner: "terraform",
  activeVersionId: "v1",
  deprecationMessage: "",
  settings: {},
  autostartDays: [],
  versions: [version],
};

const workspace: SourceWorkspace = {
  name: "dev",
  ownerName: "ada",
  templateId: "t1",
  versionId: "v1",
  versionName: "first",
  buildId: "b1",
  autostart: undefined,
  ttlMs: undefined,
  updatesAutomatically: false,
  isFavorite: false,
  isDormant: false,
};

const source: SourceDeployment = { users: [ada], templates: [template], workspaces: [workspace] };

const empty: TargetDeployment = {
  organizationId: "o",
  username: "root",
  drivers: new Set(["terraform"]),
  loginTypes: new Set(["password", "none"]),
  users: new Map(),
  usersByEmail: new Map(),
  templates: new Map(),
  workspaces: new Map(),
};

function userHere(changes: Partial<User> = {}): User {
  return {
    id: "u",
    username: "ada",
    email: "ada@example.com",
    created_at: "2026-02-01T00:00:00Z",
    updated_at: "2026-02-01T00:00:00Z",
    last_seen_at: zeroTimestamp,
    status: "dormant",
    login_type: "password",
    organization_ids: [],
    roles: [],
    has_ai_seat: false,
    ...changes,
  };
}

function withUser(user: User): TargetDeployment {
  return {
    ...empty,
    users: new Map([[user.username.toLowerCase(), user]]),
    usersByEmail: new Map([[user.email.toLowerCase(), user]]),
  };
}

const templateHere: TargetTemplate = {
  id: "here",
  name: "box",
  activeVersionId: "here1",
  firstVersionId: "here1",
  isUntouched: false,
  isDeprecated: false,
  versions: new Map([["first", { id: "here1", isImported: true }]]),
};

const workspaceHere: TargetWorkspace = {
  id: "w",
  templateName: "box",
  ttlMs: null,
  isFavorite: false,
  isDormant: false,
  isUntouched: true,
};

function withTemplate(changes: Partial<TargetTemplate>): TargetDeployment {
  return { ...empty, templates: new Map([["box", { ...templateHere, ...changes }]]) };
}

/** Returns what is planned, as `name: outcome notes`. */
function outcomes(from: Partial<SourceDeployment>, here = empty, versions: "all" | "used" = "all") {
  const plan = planImport({ ...source, ...from }, here, { versions, sourceUsername: "root" });
  const items = [
    ...plan.users,
    ...plan.templates.flatMap((one) => [one, ...one.versions]),
    ...plan.workspaces,
  ];
  return items.map(({ name, outcome, notes }) => `${name}: ${[outcome, ...notes].join(" | ")}`);
}

it("brings everything to an empty server", () => {
  expect(outcomes({})).toEqual([
    "ada: create | needs a new password",
    "box: create",
    "box/first: create | active",
    "ada/dev: create",
  ]);
});

it("lets the templates of a driver that is not enabled wait, with their workspaces", () => {
  expect(outcomes({ users: [ada] }, { ...empty, drivers: new Set(["docker"]) }).slice(1)).toEqual([
    "box: waiting | needs the driver terraform, which is not enabled here",
    "ada/dev: waiting | its template box does not come",
  ]);
});

describe("a user", () => {
  const first = (user: Partial<SourceUser>, here = empty): string | undefined =>
    outcomes({ users: [{ ...ada, ...user }] }, here)[0];

  it("is the same one only by name and email address, whatever their case", () => {
    expect(first({}, withUser(userHere({ username: "Ada" })))).toBe("ada: present");
    expect(first({}, withUser(userHere({ email: "ada@example.org" })))).toBe(
      "ada: conflict | the user of this name here has the email address ada@example.org",
    );
    expect(first({ username: "lovelace" }, withUser(userHere()))).toBe(
      "lovelace: conflict | the user ada here has the email address ada@example.com",
    );
  });

  it("takes no workspace along to another person of the name", () => {
    const here = withUser(userHere({ email: "ada@example.org" }));
    expect(outcomes({}, here).at(-1)).toBe("ada/dev: waiting | its owner ada does not come");
  });

  it("is completed only if nobody has changed or used the account since it was created", () => {
    const user = { roles: ["auditor"], isSuspended: true };
    expect(first(user, withUser(userHere()))).toMatch(/^ada: complete/);
    const seen = { last_seen_at: "2026-02-02T00:00:00Z" };
    const differs = "ada: present | lacks the role auditor here | not suspended here";
    expect(first(user, withUser(userHere(seen)))).toBe(differs);
    expect(first(user, withUser(userHere({ updated_at: "2026-02-02T00:00:00Z" })))).toBe(differs);
  });

  it("is told what is different afterward", () => {
    expect(first({ loginType: "oidc", roles: ["owner", "organization-admin"] })).toBe(
      "ada: create | cannot log in until a login provider of type oidc is configured | the role organization-admin does not exist here",
    );
    expect(first({ loginType: "token" })).toBe("ada: create | logs in with tokens only");
  });

  it("with a name that is not allowed here is skipped", () => {
    expect(first({ username: "ada.l" })).toMatch(/^ada\.l: skipped \| the name must be letters/);
  });
});

describe("a template", () => {
  const second = { ...version, id: "v2", name: "second", createdAt: "2026-01-02T00:00:00Z" };
  const both = { ...template, activeVersionId: "v2", versions: [version, second] };

  it("that an interrupted import left is completed", () => {
    expect(outcomes({ templates: [both], workspaces: [] }, withTemplate({})).slice(1)).toEqual([
      "box: complete",
      "box/first: present",
      "box/second: create | active",
    ]);
    expect(outcomes({}, withTemplate({ isUntouched: true }))[1]).toBe("box: complete");
  });

  it("keeps the active version that was chosen here", () => {
    const versions = new Map([
      ["first", { id: "here1", isImported: true }],
      ["second", { id: "here2", isImported: true }],
      ["third", { id: "here3", isImported: true }],
    ]);
    const here = withTemplate({ versions, activeVersionId: "here3" });
    expect(outcomes({ templates: [both] }, here)[1]).toBe(
      "box: present | second is not active here",
    );
  });

  it("comes with the versions in use, if no others are wanted", () => {
    const third = { ...version, id: "v3", name: "third" };
    const templates = [{ ...both, versions: [version, second, third] }];
    expect(outcomes({ templates }, empty, "used").slice(2, -1)).toEqual([
      "box/first: create",
      "box/second: create | active",
    ]);
  });

  it("without an imported version is skipped, and one of a second organization is a conflict", () => {
    const failed = { ...template, versions: [{ ...version, status: "failed" }] };
    expect(outcomes({ templates: [failed], workspaces: [] }).slice(1)).toEqual([
      "box: skipped | no version of it was imported there",
    ]);
    const twice = [template, { ...template, id: "t2", name: "Box" }];
    expect(outcomes({ templates: twice })[3]).toBe(
      "Box: conflict | another organization has a template of this name",
    );
  });
});

describe("a workspace", () => {
  const last = (from: Partial<SourceWorkspace>, here = empty): string | undefined =>
    outcomes({ workspaces: [{ ...workspace, ...from }] }, here).at(-1);
  const withWorkspace = (changes: Partial<TargetWorkspace>): TargetDeployment => ({
    ...withTemplate({}),
    workspaces: new Map([["ada/dev", { ...workspaceHere, ...changes }]]),
  });

  it("is never that of another template", () => {
    expect(last({}, withWorkspace({}))).toBe("ada/dev: present");
    expect(last({}, withWorkspace({ templateName: "other" }))).toBe(
      "ada/dev: conflict | the workspace of this name here is of template other",
    );
  });

  it("is completed only if nothing has changed since it was created", () => {
    expect(last({ isDormant: true }, withWorkspace({}))).toBe("ada/dev: complete");
    expect(last({ isDormant: true }, withWorkspace({ isUntouched: false }))).toBe(
      "ada/dev: present",
    );
  });

  it("takes the active version in place of one that does not come", () => {
    expect(last({ versionId: "gone", versionName: "gone" })).toBe(
      "ada/dev: create | its version gone does not come: takes the active one",
    );
  });
});
