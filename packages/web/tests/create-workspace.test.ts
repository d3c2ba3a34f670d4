import { listBuildParameters } from "@slipway/api/builds/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { pushTemplate, pushVersion } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "./support/dashboard.ts";
import { controlEvaluation } from "./support/evaluation-socket.ts";
import { researchTemplate } from "./support/research-template.ts";

/* The form for a new workspace. */

let dashboard: Dashboard;
let templateId = "";

beforeAll(async () => {
  dashboard = await openDashboard({ environment: { SLIPWAY_MAX_WORKSPACES_PER_USER: "3" } });
  templateId = await pushTemplate(dashboard.admin, "research", researchTemplate);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

function bodyOf(name: string) {
  const value = "https://git.example/x";
  return {
    name,
    template_id: templateId,
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
  one: { type: string, default: "", description: "**first** ${"a.".repeat(8_000)}" }
  two: { type: string, default: "", description: "**second** ${"a.".repeat(8_000)}" }
  image:
    type: string
    default: debian
    form_type: dropdown
    options: [{ name: Debian, value: debian, description: "The *stable* one" }, { name: Fedora, value: fedora }]
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
  // Many costly texts would stall the page: those beyond the first are not parsed.
  await page.getByText("first", { exact: true }).waitFor();
  await page.getByText("**second**").waitFor();
  const image = page.getByLabel("image");
  const hint = (await image.getAttribute("aria-describedby"))?.split(" ").at(-1) ?? "";
  expect(await page.locator(`[id="${hint}"]`).textContent()).toBe("The stable one ");
  await expectSound(watched);
  await image.selectOption("Fedora");
  await page.getByText("The stable one").waitFor({ state: "hidden" });

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
