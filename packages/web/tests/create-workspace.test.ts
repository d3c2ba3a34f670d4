import { listBuildParameters } from "@slipway/api/builds/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { freshName, pushTemplate, pushVersion, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard, type UserPage } from "./support/dashboard.ts";
import { controlEvaluation } from "./support/evaluation-socket.ts";
import { styleParameters } from "./support/styled-parameters.ts";

/* The form for a new workspace. */

const template = `
driver: external
display_name: Research box
description: "<img src=x onerror=alert(1)> \u202Eevil"
parameters:
  region:
    { type: string, default: eu, mutable: true, options: [{ name: Frankfurt, value: eu }, { name: Virginia, value: us }] }
  image:
    type: string
    default: debian
    description: What it runs.
    form_type: dropdown
    options: [{ name: Debian, value: debian }, { name: Fedora, value: fedora }]
  cpus: { type: number, default: 4, form_type: slider, mutable: true, validation: { min: 1, max: 16 } }
  memory: { type: number, default: 8, mutable: true, validation: { min: 1, max: 64 } }
  gpu: { type: bool, default: false, mutable: true, display_name: With a GPU }
  tools:
    { type: "list(string)", default: ["go"], mutable: true, options: [{ name: Go, value: go }, { name: Rust, value: rust }] }
  hosts: { type: "list(string)", default: [], mutable: true }
  notes: { type: string, default: "", form_type: textarea, mutable: true }
  branch: { type: string, default: main, ephemeral: true }
  repository: { type: string, mutable: true, validation: { regex: "^https://", error: must begin with https } }
presets:
  large: { display_name: As large as it gets, description: For training, parameters: { cpus: 16, repository: "https://git.example/x" }, prebuilds: { instances: 1 } }
agents:
  main: { os: linux, arch: amd64 }
`;

let dashboard: Dashboard;
let templateId = "";

beforeAll(async () => {
  dashboard = await openDashboard({ environment: { SLIPWAY_MAX_WORKSPACES_PER_USER: "3" } });
  templateId = await pushTemplate(dashboard.admin, "research", template);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

function bodyOf(name: string, ofTemplate = templateId) {
  const value = "https://git.example/x";
  return {
    name,
    template_id: ofTemplate,
    rich_parameter_values: [{ name: "repository", value }],
  };
}

it("chooses a template first, whose texts are only text", async () => {
  const watched = await dashboard.openAdminPage();
  const { page } = watched;
  await page.goto("/workspaces");
  await page.getByRole("link", { name: "New workspace" }).click();
  await page.getByText("<img src=x onerror=alert(1)>").waitFor();
  expect(await page.locator("img[src=x]").count()).toBe(0);
  expect(await page.content()).not.toContain("\u202E");
  await expectSound(watched);
  await page.getByRole("link", { name: "Research box" }).click();
  await page.waitForURL("**/templates/research/workspace");
});

it("fills in what the address says, checks fields as one types, and creates", async () => {
  const watched = await dashboard.openUserPage("ann");
  const { page, client, user } = watched;
  await page.goto("/templates/research/workspace?name=mine&param.region=us");
  await page.getByLabel("Virginia").waitFor();
  await expect.poll(() => page.getByLabel("Virginia").isChecked()).toBe(true);
  await expect.poll(() => page.getByLabel("Name").inputValue()).toBe("mine");
  await page.getByText("You will then have 1 of 3 workspaces").waitFor();
  await page.getByText("None waiting: takes a full build").waitFor();
  await page.getByText("What it runs.", { exact: true }).waitFor();
  await page.getByText("Applies to the first start only.").waitFor();
  expect(await page.getByText(/Cannot be changed|Applies to/).count()).toBe(2);
  await expectSound(watched);

  await page.getByLabel("repository").fill("git@x");
  await page.getByText("must begin with https").waitFor();
  await page.getByLabel("repository").fill("https://git.example/y");
  await page.getByText("must begin with https").waitFor({ state: "hidden" });
  await page.getByLabel(/^memory/).fill("99");
  await page.getByText("found 99").waitFor();
  await page.getByLabel(/^memory/).fill("16");
  await page.getByLabel("With a GPU").check();
  await page.getByLabel("Rust").check();
  await page.getByLabel("Add to hosts").fill("a.example");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove a.example" }).waitFor();
  // What was typed and not added is not lost.
  await page.getByLabel("Add to hosts").fill("b.example");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(`**/@${user.username}/mine`);
  await page
    .getByRole("status")
    .getByText(/mine was created in/)
    .waitFor();
  const { latest_build: build } = await client.call(getWorkspaceByName, {
    params: { user: "me", name: "mine" },
  });
  const parameters = await client.call(listBuildParameters, { params: { build: build.id } });
  expect(Object.fromEntries(parameters.map(({ name, value }) => [name, value]))).toMatchObject({
    region: "us",
    memory: "16",
    gpu: "true",
    tools: '["go","rust"]',
    hosts: '["a.example","b.example"]',
    repository: "https://git.example/y",
  });
});

it("shows descriptions as Markdown, which loads nothing and leads only to the web", async () => {
  const description = `
**Two** kinds, see [the guide](https://guide.example/kinds):

- \`small\`
- large ![](https://tracker.example/seen.png)

<img src="https://tracker.example/html.png"> [click](javascript:alert(1)) [here](/settings/tokens)

# Not a heading
`;
  const nested = `${"> ".repeat(2_000)}${"*a ".repeat(2_000)}${"a* ".repeat(2_000)}`;
  const written = `
driver: external
parameters:
  kind:
    type: string
    default: small
    form_type: radio
    description: ${JSON.stringify(description)}
    options:
      - { name: Small, value: small, description: "*Two* cores, [details](https://guide.example/small)" }
      - { name: Large, value: large, description: ${JSON.stringify(nested)} }
agents: { main: {} }
`;
  const version = await pushVersion(dashboard.admin, written, {
    more: { "README.md": "# Guide\n\nSee [the wiki](https://guide.example/wiki).\n" },
  });
  await dashboard.admin.call(createTemplate, {
    params: { organization: "default" },
    body: { name: "written", template_version_id: version },
  });
  const watched = await dashboard.openUserPage("mar");
  const { page } = watched;
  const requested: string[] = [];
  page.on("request", (request) => requested.push(request.url()));
  await page.goto("/templates/written/workspace");
  const kind = page.getByRole("group", { name: "kind" });
  await kind.getByText("Two", { exact: true }).first().waitFor();
  expect(await kind.getByRole("list").getByRole("listitem").allTextContents()).toEqual([
    "small",
    "large ",
  ]);
  const links = kind.getByRole("link");
  expect(await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")))).toEqual([
    "https://guide.example/kinds",
    "https://guide.example/small",
  ]);
  await kind.getByText('<img src="https://tracker.example/html.png"> click here').waitFor();
  expect(await kind.getByRole("heading").count()).toBe(0);
  expect(requested.filter((url) => url.includes("example"))).toEqual([]);
  await page.getByRole("radio", { name: "Small Two cores, details" }).waitFor();
  await expectSound(watched);

  await page.goto("/templates/written");
  await page.getByText("Guide", { exact: true }).waitFor();
  const wiki = page.getByRole("link", { name: "the wiki" });
  expect(await wiki.getAttribute("href")).toBe("https://guide.example/wiki");
});

it("follows how many workspaces wait for a preset", async () => {
  const { page } = await dashboard.openUserPage("wim");
  await page.clock.install();
  await page.goto("/templates/research/workspace");
  await page.getByText("None waiting: takes a full build").waitFor();
  await page.route("**/waiting-prebuilds", async (route) => {
    const response = await route.fetch();
    const text = (await response.text()).replace('"waiting":0', '"waiting":2');
    await route.fulfill({ response, body: text });
  });
  await page.clock.fastForward(15_000);
  await page.getByText("Ready in a second: 2 waiting").waitFor();
});

it("leads to the field whose value is refused", async () => {
  const { page } = await dashboard.openUserPage("foc");
  await page.goto("/templates/research/workspace?name=far");
  const repository = page.getByLabel("repository");
  await repository.waitFor();
  await page.getByRole("button", { name: "Create workspace", exact: true }).click();
  await page.getByText("missing value").waitFor();
  await expect.poll(() => repository.and(page.locator(":focus")).count()).toBe(1);
});

it("fills in a preset, and says what the server refuses at its field", async () => {
  const { page, client, user } = await dashboard.openUserPage("bea");
  await client.call(createWorkspace, { params: { user: "me" }, body: bodyOf("mine") });
  await page.goto("/templates/research/workspace");
  await page.getByRole("radio", { name: /As large as it gets/ }).check();
  await expect.poll(() => page.getByLabel("repository").inputValue()).toBe("https://git.example/x");
  await page.getByLabel("repository").fill("https://git.example/other");
  await expect.poll(() => page.getByRole("radio", { name: /^None/ }).isChecked()).toBe(true);
  await page.getByLabel("Name").fill("mine");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByText("already in use").waitFor();
  await page.getByLabel("Name").fill("second");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(`**/@${user.username}/second`);
  const { latest_build: build } = await client.call(getWorkspaceByName, {
    params: { user: "me", name: "second" },
  });
  expect(build.template_version_preset_id).toBeNull();
});

it("offers to continue without an answer that does not come, and continues once it has come", async () => {
  const watched = await dashboard.openUserPage("cut");
  const { page, client, user } = watched;
  const socket = await controlEvaluation(page);
  const lost = page.getByText("The connection to the server is lost.");
  const create = page.getByRole("button", { name: "Create workspace", exact: true });
  const memoryOf = async (name: string): Promise<string | undefined> => {
    const params = { user: "me", name };
    const { latest_build: build } = await client.call(getWorkspaceByName, { params });
    const values = await client.call(listBuildParameters, { params: { build: build.id } });
    return values.find((one) => one.name === "memory")?.value;
  };

  await page.goto("/templates/research/workspace?name=waits");
  await page.getByLabel("repository").fill("https://git.example/x");
  await page.getByLabel(/^memory/).fill("12");
  await socket.cut();
  await page.getByLabel(/^memory/).fill("16");
  await page.getByText("No connection to the server. Reconnecting…").waitFor();
  await create.click();
  await lost.waitFor();
  await expectSound(watched, /WebSocket|ERR_FAILED/);
  await page.getByRole("button", { name: "Cancel" }).click();
  await lost.waitFor({ state: "detached" });
  await create.click();
  await lost.waitFor();
  socket.mend();
  await page.waitForURL(`**/@${user.username}/waits`);
  expect(await memoryOf("waits")).toBe("16");

  await page.goto("/templates/research/workspace?name=hurries");
  await page.getByLabel("repository").fill("https://git.example/x");
  await socket.cut();
  await page.getByLabel(/^memory/).fill("24");
  await create.click();
  await page.getByRole("button", { name: "Create without waiting" }).click();
  await page.waitForURL(`**/@${user.username}/hurries`);
  expect(await memoryOf("hurries")).toBe("24");
});

it("offers to start with other values without an answer that does not come", async () => {
  const { page, client, user } = await dashboard.openUserPage("cut");
  await client.call(createWorkspace, { params: { user: "me" }, body: bodyOf("mine") });
  const socket = await controlEvaluation(page);
  await page.goto(`/@${user.username}/mine/settings#parameters`);
  await page.getByLabel(/^memory/).waitFor();
  await socket.cut();
  await page.getByLabel(/^memory/).fill("32");
  await page.getByRole("button", { name: "Start with these values…" }).click();
  await page.getByRole("button", { name: "Continue without waiting" }).click();
  await page.getByRole("dialog").getByText("memory: 8 32").waitFor();
});

/** Makes a workspace of a new user that has secrets in its values, and opens a page on which the user is logged in. */
async function openSecrets(ofTemplate: string): Promise<UserPage> {
  const opened = await dashboard.openUserPage("sue");
  const body = {
    ...bodyOf("styled", ofTemplate),
    rich_parameter_values: [
      { name: "notes", value: "a secret" },
      { name: "repository", value: "https://git.example/z" },
    ],
  };
  const params = { user: "me" };
  const { id } = await opened.client.call(createWorkspace, { params, body });
  await waitForWorkspace(opened.client, id, (one) => one.latest_build.status === "running");
  return opened;
}

const masked = {
  notes: { mask_input: true, placeholder: "Nobody reads along" },
  repository: { mask_input: true, placeholder: "https://…" },
};

it("shows fields as the template styles them", async () => {
  const watched = await dashboard.openUserPage("sid");
  const { page, client, user } = watched;
  await styleParameters(page, {
    region: { disabled: true },
    memory: { disabled: true, placeholder: "8" },
    gpu: { label: "Attach \u202E a card" },
    hosts: { placeholder: "<b>host" },
    ...masked,
  });
  await page.goto("/templates/research/workspace?param.gpu=true");
  const repository = page.getByLabel("repository", { exact: true });
  await repository.waitFor();
  await expect.poll(() => repository.getAttribute("type")).toBe("password");
  await expect.poll(() => repository.getAttribute("placeholder")).toBe("https://…");
  const notes = page.getByLabel(/^notes/);
  const drawnAs = (): Promise<unknown> =>
    page.evaluate(
      "getComputedStyle(document.querySelector('textarea')).getPropertyValue('-webkit-text-security')",
    );
  expect(await drawnAs()).toBe("none");
  await notes.fill("a secret");
  expect(await drawnAs()).toBe("disc");
  await expect.poll(() => page.getByLabel("Frankfurt").isDisabled()).toBe(true);
  await expect.poll(() => page.getByLabel(/^memory/).isDisabled()).toBe(true);
  await page.getByText("The template sets this value.").first().waitFor();
  await expect
    .poll(() => page.getByLabel("Add to hosts").getAttribute("placeholder"))
    .toBe("<b>host");
  const card = page
    .getByRole("group", { name: /^With a GPU/ })
    .getByRole("checkbox", { name: "Attach a card" });
  await expect.poll(() => card.isChecked()).toBe(true);
  await card.uncheck();
  await repository.fill("https://git.example/z");
  await expectSound(watched);
  await page.getByLabel("Name", { exact: true }).fill("styled");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(`**/@${user.username}/styled`);
  const { latest_build: build } = await client.call(getWorkspaceByName, {
    params: { user: "me", name: "styled" },
  });
  const values = await client.call(listBuildParameters, { params: { build: build.id } });
  expect(values).toEqual(
    expect.arrayContaining([
      { name: "gpu", value: "false" },
      { name: "region", value: "eu" },
      { name: "notes", value: "a secret" },
      { name: "repository", value: "https://git.example/z" },
    ]),
  );
});

it("shows no masked value until one asks for it, wherever a workspace has it", async () => {
  const watched = await openSecrets(templateId);
  const { page } = watched;
  const address = `/@${watched.user.username}/styled`;
  await styleParameters(page, masked);
  await page.goto(address);
  const details = page.locator("section").filter({ hasText: "Details" });
  await details.getByText("••••••••").first().waitFor();
  await expectSound(watched);
  expect(await page.content()).not.toMatch(/git\.example|a secret/);
  await details.getByRole("button", { name: "Show repository" }).click();
  await details.getByText("https://git.example/z").waitFor();
  expect(await page.content()).not.toContain("a secret");
  await details.getByRole("button", { name: "Hide repository" }).click();
  await details.getByText("https://git.example/z").waitFor({ state: "hidden" });

  await page.goto(`${address}/settings#parameters`);
  const repository = page.getByLabel("repository", { exact: true });
  await repository.waitFor();
  await expect.poll(() => repository.getAttribute("type")).toBe("password");
  await page.getByRole("button", { name: "Show repository" }).click();
  await expect.poll(() => repository.getAttribute("type")).toBe("text");
  await repository.fill("https://git.example/new");
  await page.getByLabel(/^memory/).fill("12");
  await expectSound(watched);
  await page.getByRole("button", { name: "Start with these values…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("repository: a new value").waitFor();
  await dialog.getByText("memory: 8 12").waitFor();
  expect(await dialog.textContent()).not.toContain("git.example");
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });

  await page.goto(`${address}/builds/2`);
  await page.getByRole("row", { name: "memory 12 changed was 8" }).waitFor();
  // Lists are shown as words.
  await page.getByRole("row", { name: "tools go unchanged" }).waitFor();
  await page.getByRole("row", { name: "hosts none unchanged" }).waitFor();
  const row = page.getByRole("row", { name: /^repository/ });
  await row.getByText("changed").waitFor();
  expect(await page.content()).not.toMatch(/git\.example|a secret/);
  await row.getByRole("button", { name: "Show repository" }).click();
  await row.getByText("https://git.example/new").waitFor();
  await expectSound(watched);
});

it("masks every value of a version that cannot be read", async () => {
  const { page, user } = await openSecrets(templateId);
  await page.route("**/dynamic-parameters/evaluate", (route) =>
    route.fulfill({ status: 404, json: { message: "Resource not found" } }),
  );
  await page.goto(`/@${user.username}/styled/builds/1`);
  await page.getByRole("button", { name: "Show region" }).waitFor();
  const hidden = page.getByRole("table", { name: "Parameters" }).getByText("••••••••");
  await expect.poll(() => hidden.count()).toBe(10);
});

it("hides masked values in the lines of presets", async () => {
  const { page } = await dashboard.openAdminPage();
  await styleParameters(page, masked);
  await page.goto("/templates/research");
  await page.getByText("cpus: 16, repository: ••••••••").waitFor();
});

it("asks for a new masked parameter with a masked field", async () => {
  const ownTemplate = await pushTemplate(dashboard.admin, freshName("research"), template);
  const watched = await openSecrets(ownTemplate);
  const { page, user } = watched;
  await styleParameters(page, { key: { mask_input: true } });
  const next = `
driver: external
parameters: { key: { type: string, mutable: true } }
agents: { main: { os: linux, arch: amd64 } }
`;
  const version = await pushVersion(dashboard.admin, next, { templateId: ownTemplate });
  await dashboard.admin.call(updateActiveVersion, {
    params: { template: ownTemplate },
    body: { id: version },
  });
  await page.goto(`/@${user.username}/styled`);
  await page.getByRole("button", { name: "Update", exact: true }).click();
  const key = page.getByRole("dialog").getByLabel("key", { exact: true });
  await key.waitFor();
  await expect.poll(() => key.getAttribute("type")).toBe("password");
  await expectSound(watched);
});

it("says that a limit is reached before anything is filled in", async () => {
  const viewport = { width: 390, height: 844 };
  const watched = await dashboard.openUserPage("lim", { viewport });
  const { page, client } = watched;
  for (const name of ["one", "two", "three"]) {
    await client.call(createWorkspace, { params: { user: "me" }, body: bodyOf(name) });
  }
  await page.goto("/templates/research/workspace");
  await page.getByText("You have reached the limit of workspaces: 3 of 3.").waitFor();
  const button = page.getByRole("button", { name: "Create workspace" });
  await expect.poll(() => button.getAttribute("aria-disabled")).toBe("true");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await expectSound(watched);
});

it("knows that there is no such template", async () => {
  const watched = await dashboard.openAdminPage();
  await watched.page.goto("/templates/nothing/workspace");
  await watched.page.getByText("There is no template nothing").waitFor();
  await expectSound(watched);
});
