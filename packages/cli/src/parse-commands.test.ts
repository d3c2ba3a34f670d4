import { expect, it } from "vitest";

import { flagName } from "./command/flags.ts";
import { parseCommandLine, type ParsedCommandLine } from "./command/parse.ts";
import { commandTable } from "./gen/command-table.ts";
import { noColors } from "./terminal/colors.ts";

async function parse(line: string): Promise<ParsedCommandLine> {
  const words = line === "" ? [] : line.split(" ");
  return parseCommandLine(commandTable, words, { colors: noColors, columns: 100 });
}

it.each(commandTable.commands.map(({ name }) => name))(
  "shows help of %s with an example",
  async (name) => {
    const parsed = await parse(`${name} --help`);
    expect(parsed).toMatchObject({ kind: "help" });
    expect(parsed).toHaveProperty("text", expect.stringContaining(`Examples:\n  slipway ${name}`));
  },
);

it.each(["", "--help", "-h", "help"])("lists the commands for %j", async (line) => {
  const parsed = await parse(line);
  expect(parsed).toHaveProperty("text", expect.stringMatching(/logs +show the logs of a build/));
});

it("lists the commands of a group", async () => {
  expect(await parse("templates")).toHaveProperty(
    "text",
    expect.stringMatching(/push +push a new version/),
  );
});

it("lists the commands of a group within a group, and calls one of them", async () => {
  expect(await parse("templates versions")).toHaveProperty(
    "text",
    expect.stringMatching(/promote +make a version the active one/),
  );
  expect(await parse("--url u templates versions promote small v2")).toMatchObject({
    command: { name: "templates versions promote" },
    options: { name: "small", version: "v2" },
  });
  await expect(parse("templates versions nonsense")).rejects.toThrow("unknown command 'nonsense'");
});

it("reads every flag of a command, and fills in the missing ones", async () => {
  const given = await parse("logs ada/demo -f -n -1 --agent main -o json");
  expect(given).toMatchObject({
    kind: "run",
    options: {
      workspace: "ada/demo",
      follow: true,
      buildNumber: -1,
      agent: "main",
      output: "json",
    },
  });
  const bare = await parse("logs demo");
  expect(bare).toHaveProperty("options", {
    workspace: "demo",
    follow: false,
    buildNumber: undefined,
    agent: undefined,
    tail: undefined,
    since: undefined,
    timestamps: false,
    output: "text",
  });
});

it.each([
  ["ls -a", "list", { all: true }],
  ["fav demo", "favorite", { workspace: "demo" }],
  ["rm -y demo", "delete", { workspaces: ["demo"], yes: true }],
  ["user ls", "users list", {}],
  ["--url u token rm ci", "tokens remove", { token: "ci" }],
  ["tokens delete ci", "tokens remove", { token: "ci" }],
  ["prebuild ls", "prebuilds list", {}],
  ["template version ls x", "templates versions list", { template: "x" }],
  ["schedule override-stop a 2h", "schedule extend", { workspace: "a", duration: "2h" }],
])("accepts coder's aliases: %s", async (line, name, options) => {
  expect(await parse(line)).toMatchObject({ command: { name }, options });
});

it("does not replace words that only look like aliases", async () => {
  expect(await parse("show ls")).toMatchObject({ options: { workspace: "ls" } });
  expect(await parse("version")).toMatchObject({ command: { name: "version" } });
});

it.each([
  ["list", ["workspace", "template", "status", "healthy", "last built", "outdated"]],
  ["list -c status", ["status"]],
  ["list -c status,Workspace -c favorite", ["status", "workspace", "favorite"]],
])("reads the columns of %j", async (line, column) => {
  expect(await parse(line)).toMatchObject({ options: { column } });
});

it("accepts table for text, and coder's flag for the configuration directory", async () => {
  expect(await parse("list -o table --global-config d")).toMatchObject({
    options: { output: "text" },
    globals: { configDir: "d" },
  });
});

it("collects repeated flags and reads --no-wait", async () => {
  const parsed = await parse("create box --parameter a=1 --parameter b=2=3 --no-wait");
  expect(parsed).toMatchObject({
    options: { name: "box", parameter: ["a=1", "b=2=3"], noWait: true },
  });
  expect(await parse("create")).toMatchObject({
    options: { name: undefined, parameter: [], noWait: false },
  });
});

it.each([
  ["templates push x", true],
  ["templates push x --activate", true],
  ["templates push x --activate=true", true],
  ["templates push x --activate=false", false],
])("reads --activate of %j", async (line, activate) => {
  expect(await parse(line)).toMatchObject({ options: { template: "x", activate } });
});

it.each(["--url u --token t --config-dir d list", "list --url u --token t --config-dir d"])(
  "accepts the global flags anywhere: %s",
  async (line) => {
    expect(await parse(line)).toMatchObject({ globals: { url: "u", token: "t", configDir: "d" } });
  },
);

it.each([
  ["nonsense", "unknown command 'nonsense'"],
  ["lst", "Did you mean list?"],
  ["templates nonsense", "unknown command 'nonsense'"],
  ["show", "missing required argument 'workspace'"],
  ["show a b", "show takes 1 argument, found 2: a, b"],
  ["netcheck x", "netcheck takes no arguments, found 1: x"],
  ["list --colour", "unknown option '--colour'"],
  ["list --output yaml", '--output is "yaml", wanted text or json'],
  ["list -c color", '--column: unknown column "color", wanted one of workspace, template, status'],
  ["user lst", "Did you mean list?"],
  ["logs x -n two", '--build-number is "two", wanted a whole number'],
  ["templates push --activate=maybe", '--activate is "maybe", wanted true or false'],
  ["create --template", "option '-t, --template <name>' argument missing"],
])("refuses %j: %s", async (line, text) => {
  await expect(parse(line)).rejects.toThrow(text);
  await expect(parse(line)).rejects.toMatchObject({ code: "usage", exitCode: 2 });
});

it("loads only the definition of the called command", async () => {
  const loaded: string[] = [];
  const watched = commandTable.commands.map((command) => ({
    ...command,
    definition: () => {
      loaded.push(command.name);
      return command.definition();
    },
  }));
  await parseCommandLine({ ...commandTable, commands: watched }, ["version"], {
    colors: noColors,
    columns: 100,
  });
  expect(loaded).toEqual(["version"]);
});

it("lists each command with the summary and aliases of its definition", async () => {
  const definitions = await Promise.all(
    commandTable.commands.map(async ({ definition }) => definition()),
  );
  for (const [index, { summary, aliases }] of definitions.entries()) {
    expect(commandTable.commands[index]?.summary).toBe(summary);
    expect(commandTable.commands[index]?.aliases).toEqual(aliases);
  }
});

it("loads no definition to list the commands", async () => {
  const commands = commandTable.commands.map((command) => ({
    ...command,
    definition: () => Promise.reject(new Error(`loaded ${command.name}`)),
  }));
  for (const words of [[], ["templates"], ["help"]]) {
    const layout = { colors: noColors, columns: 100 };
    expect(await parseCommandLine({ ...commandTable, commands }, words, layout)).toHaveProperty(
      "kind",
      "help",
    );
  }
});

it.each(["help logs", "help templates push", "help ls"])(
  "shows the help of one for %j",
  async (line) => {
    const name = line.replace("help ", "").replace("ls", "list");
    expect(await parse(line)).toEqual(await parse(`${name} --help`));
  },
);

it("reads flags that are not typed from their variables", async () => {
  const read = (
    line: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<ParsedCommandLine> =>
    parseCommandLine(
      commandTable,
      line.split(" "),
      { colors: noColors, columns: 100 },
      environment,
    );
  const environment = {
    CODER_TEMPLATE_VERSION: "v1",
    CODER_WORKSPACE_AUTOMATIC_UPDATES: "always",
    CODER_WORKSPACE_USE_PARAMETER_DEFAULTS: "true",
    CODER_RICH_PARAMETER: "a=1,b=2",
    CODER_WORKSPACE_STOP_AFTER: "",
  };
  expect(await read("create box", environment)).toMatchObject({
    options: {
      templateVersion: "v1",
      automaticUpdates: "always",
      useParameterDefaults: true,
      parameter: ["a=1", "b=2"],
      stopAfter: undefined,
    },
  });
  expect(
    await read("create box --template-version v2 --automatic-updates never", environment),
  ).toMatchObject({ options: { templateVersion: "v2", automaticUpdates: "never" } });
  await expect(read("create box", { CODER_WORKSPACE_AUTOMATIC_UPDATES: "often" })).rejects.toThrow(
    'CODER_WORKSPACE_AUTOMATIC_UPDATES is invalid: wanted never or always, found "often"',
  );
});

it.each([
  ["nonsense", "see: slipway --help"],
  ["templates nonsense", "see: slipway templates --help"],
  ["template version nonsense", "see: slipway templates versions --help"],
  ["templates push --nonsense", "see: slipway templates push --help"],
])("suggests after %j: %s", async (line, hint) => {
  await expect(parse(line)).rejects.toMatchObject({ hint });
});

it.each([
  ["start demo --ephemeral-parameter a=1 --build-option b=2", { parameter: ["a=1", "b=2"] }],
  ["start demo --build-options", { promptEphemeralParameters: true, parameter: [] }],
  ["restart demo --prompt-ephemeral-parameters", { promptEphemeralParameters: true }],
  ["delete demo --provisioner-log-debug", { provisionerLogDebug: true }],
  ["restart demo --use-parameter-defaults", { useParameterDefaults: true }],
  ["update demo --use-parameter-defaults", { useParameterDefaults: true }],
  ["--disable-direct-connections ssh demo", { disableDirectConnections: true }],
  ["ssh demo --disable-direct-connections", { disableDirectConnections: true }],
  ["--verbose ssh demo", { verbose: true }],
  ["list --verbose --no-feature-warning --no-version-warning", { output: "text" }],
  ["--use-keyring=false list --shared-with-me", { sharedWithMe: true }],
  ["ssh -G demo -l logs", { forwardGpg: true, logDir: "logs" }],
  ["speedtest demo -c Interval,Throughput", { column: ["interval", "throughput"] }],
  ["dotfiles -y -b main git@git.test:x --repo-dir=y", { branch: "main", repoDir: "y" }],
  ["ping demo --utc", { utc: true }],
  ["users suspend ada --column username,status --yes", { column: ["username", "status"] }],
  ["templates create small -d ./small", { template: "small", directory: "./small" }],
  ["templates edit small --failure-ttl 0 --private false", { failureTtl: "0", private: false }],
])("takes what people type from habit: %s", async (line, options) => {
  expect(await parse(line)).toMatchObject({ kind: "run", options });
});

it.each(["--org lab templates list", "templates list --org lab", "templates list -O lab"])(
  "takes the organization anywhere: %s",
  async (line) => {
    expect(await parse(line)).toMatchObject({
      command: { name: "templates list" },
      globals: { org: "lab" },
    });
  },
);

it("gives a command the letter that it shares with a global flag", async () => {
  const parsed = await parse("support bundle demo -O /tmp/demo.tar.gz");
  expect(parsed).toMatchObject({
    options: { workspace: "demo", outputFile: "/tmp/demo.tar.gz" },
    globals: { org: undefined },
  });
  expect(await parse("support bundle --org lab")).toMatchObject({ globals: { org: "lab" } });
});

it("prompts with --force-tty", async () => {
  expect(await parse("delete demo --force-tty")).toMatchObject({ forceTty: true });
  expect(await parse("delete demo")).toMatchObject({ forceTty: false });
});

it("says which value a fixed setting of a template has", async () => {
  await expect(parse("templates edit small --autostart-requirement-weekdays mon")).rejects.toThrow(
    '--autostart-requirement-weekdays is "mon", wanted all, the only value here',
  );
});

it("takes no other flag for the value of --private", async () => {
  expect(await parse("templates edit small --private --name large")).toMatchObject({
    options: { private: true, name: "large" },
  });
});

/** Returns the lines of `--debug-options`, with one space between cells. */
async function optionsOf(line: string, environment = {}): Promise<readonly string[]> {
  const layout = { colors: noColors, columns: undefined };
  const parsed = await parseCommandLine(commandTable, line.split(" "), layout, environment);
  expect(parsed.kind).toBe("help");
  return "text" in parsed ? parsed.text.split("\n").map((row) => row.replaceAll(/ +/g, " ")) : [];
}

it("prints the value of every flag and what sets it, instead of running the command", async () => {
  const environment = {
    CODER_URL: "https://ada:s3cret@there.test/?token=s3cret",
    SLIPWAY_SESSION_TOKEN: "s3cret",
    CODER_RICH_PARAMETER: "size=s3cret,color=s3cret",
    CODER_CONFIG_DIR: "/home/ada/coder",
  };
  const given = "--header X-Access=s3cret -O lab --no-wait --output=json";
  const lines = await optionsOf(`start demo --debug-options ${given}`, environment);
  expect(lines).toEqual(
    expect.arrayContaining([
      "FLAG VALUE SET BY",
      "--url https://…@there.test/?… CODER_URL",
      "--token (hidden) SLIPWAY_SESSION_TOKEN",
      "--header (hidden) flag",
      "--org lab flag",
      "--config-dir /home/ada/coder CODER_CONFIG_DIR",
      "--parameter size=…, color=… CODER_RICH_PARAMETER",
      "--no-wait true flag",
      "--always-prompt false default",
      "--output json flag",
      "--rich-parameter-file - default",
    ]),
  );
  expect(lines.join("\n")).not.toContain("s3cret");
});

it("shows no value of a flag that takes a secret, in any command", async () => {
  const named = /\b(?:token|password|secret|key)\b/;
  /** The flags whose values are names, numbers and files. */
  const harmless =
    /^(?:agentTokenFile|auth|awsCertificates|clientTlsKeyFile|extra|google\w+|max\w+|name|tokenFile)$/;
  const shown: string[] = [];
  for (const { name, definition } of commandTable.commands) {
    const { flags, arguments: words } = await definition();
    const required = Object.values(words).filter((word) => word.required);
    for (const [key, { kind, summary, hidden }] of Object.entries(flags)) {
      if (kind !== "text" || hidden === true || harmless.test(key)) continue;
      if (!named.test(`${summary} ${flagName(key).replaceAll("-", " ")}`)) continue;
      const line = [name, ...required.map(() => "word"), flagName(key), "s3cret"].join(" ");
      const lines = await optionsOf(`${line} --debug-options`);
      shown.push(...lines.filter((row) => row.includes("s3cret")));
    }
  }
  expect(shown).toEqual([]);
});
