export const head = "driver: external\n";
export const agent = "agents:\n  main:\n    os: linux\n    arch: amd64\n";
export const good = head + agent;

/** A mistake, a template that contains it, and the position and text of the first problem. */
type Mistake = readonly [name: string, yaml: string, place: string, text: string];

const script = `${good}    scripts:\n      tidy: `;
const metadata = `${good}    metadata:\n      load: `;
const parameter = `${good}parameters:\n  size: `;
const preset = `${good}presets:\n  Small: `;

const parameters = (count: number): string =>
  Array.from({ length: count }, (_, at) => `  p${at}: { default: a }\n`).join("");

export const mistakes: readonly Mistake[] = [
  ["nothing", "", "1:1", "missing key `driver`"],
  [
    "a text",
    "words",
    "1:1",
    'found "words", wanted a map with driver, display_name, description, icon, …',
  ],
  [
    "a list",
    "- driver: external",
    "1:1",
    "found a list, wanted a map with driver, display_name, description, icon, …",
  ],
  ["no driver", agent, "1:1", "missing key `driver`"],
  [
    "an unknown driver",
    `driver: externl\n${agent}`,
    "1:9",
    "driver: unknown driver `externl`; did you mean `external`? available: process, external",
  ],
  ["no agents", head, "1:1", "missing key `agents`"],
  ["a list of agents", `${head}agents:\n  - main`, "3:3", "agents: found a list, wanted a map"],
  [
    "a misspelt key",
    `${good}agnets: {}\n`,
    "6:1",
    "agnets: unknown key `agnets`; did you mean `agents`?",
  ],
  [
    "a misspelt key inside",
    `${good}    scrpts: {}\n`,
    "6:5",
    "agents.main.scrpts: unknown key `scrpts`; did you mean `scripts`?",
  ],
  ["a key twice", `${good}driver: process\n`, "6:1", "driver: duplicate key `driver`"],
  [
    "a tab",
    `${head}agents:\n\tmain: {}\n`,
    "3:1",
    "invalid YAML: Tabs are not allowed as indentation",
  ],
  ["an open quote", `${good}display_name: "demo`, "6:20", 'invalid YAML: Missing closing "quote'],
  [
    "an open brace",
    `${good}    env: { A: b\n`,
    "7:1",
    "invalid YAML: Flow map in block collection must be sufficiently indented and end with a }",
  ],
  ["two documents", `${good}---\n${head}`, "6:1", "found a second YAML document, wanted one"],
  [
    "a tag",
    `${good}    directory: !!binary aGk=\n`,
    "6:16",
    "found a YAML tag: tags are not supported",
  ],
  [
    "an alias of nothing",
    `${good}    env: *base\n`,
    "6:10",
    "agents.main.env: found an alias without an anchor",
  ],
  [
    "an unknown system",
    `${head}agents:\n  main: { os: linx, arch: amd64 }\n`,
    "3:15",
    'agents.main.os: found "linx", wanted one of linux, darwin, windows',
  ],
  [
    "a bad name",
    `${head}agents:\n  A b: { os: linux, arch: amd64 }\n`,
    "3:3",
    'agents.A b: found the name "A b", wanted lowercase letters and digits, with single dashes between them, at most 32 characters',
  ],
  [
    "a list for a text",
    `${good}    directory: [1]\n`,
    "6:16",
    "agents.main.directory: found a list, wanted a string",
  ],
  [
    "U+0000",
    `${good}    directory: "a\\0b"\n`,
    "6:16",
    "agents.main.directory: found a NUL or half a surrogate pair, wanted text without them",
  ],
  [
    "U+0000 in a key",
    `${good}"a\\0b": 1\n`,
    "6:1",
    "a\uFFFDb: unknown key `a\uFFFDb`; known keys: driver, display_name, description, icon, parameters, presets, on_claim, external_auth, agents",
  ],
  [
    "a script without a command",
    `${script}{ run_on: [start] }`,
    "7:7",
    "agents.main.scripts.tidy: missing key `run`",
  ],
  [
    "an unknown event",
    `${script}{ run: x, run_on: [boot] }`,
    "7:32",
    'agents.main.scripts.tidy.run_on[0]: found "boot", wanted one of start, stop; for a schedule use the key `cron` of the script',
  ],
  [
    "a bad minute",
    `${script}{ run: x, cron: "61 * * * *" }`,
    "7:29",
    'agents.main.scripts.tidy.cron: found "61" for the minute, wanted *, 0…59, a-b, a,b or */n with n up to 60',
  ],
  [
    "a wide step",
    `${script}{ run: x, cron: "*/91 * * * *" }`,
    "7:29",
    'agents.main.scripts.tidy.cron: found "*/91" for the minute, wanted *, 0…59, a-b, a,b or */n with n up to 60',
  ],
  [
    "a bad interval",
    `${metadata}{ display_name: L, run: x, interval: 10 seconds }`,
    "7:50",
    'agents.main.metadata.load.interval: found "10 seconds", wanted whole seconds such as 45s, 5m or 1h30m, from 1s to 1d',
  ],
  [
    "an unknown parameter",
    `${good}    env: { A: "\${{ parameters.siz }}" }\nparameters:\n  size: { default: a }\n`,
    "6:16",
    "agents.main.env.A: unknown parameter in `${{ parameters.siz }}`; did you mean `size`?",
  ],
  [
    "an unknown expression",
    `${good}    env: { A: "\${{ owner.mail }}" }\n`,
    "6:16",
    "agents.main.env.A: unknown expression `${{ owner.mail }}`; did you mean `owner.email`? (known: parameters.<name>, owner.id, owner.username, owner.name, owner.email, workspace.id, workspace.name, workspace.port, template.name, template.version, agent.name)",
  ],
  [
    "an open expression",
    `${good}    env: { A: "\${{ owner.email" }\n`,
    "6:16",
    "agents.main.env.A: found `${{` without `}}`; write `$${{` for a literal `${{`",
  ],
  [
    "a default of another type",
    `${parameter}{ type: number, default: many }`,
    "7:34",
    'parameters.size.default: invalid value: found "many", wanted a number',
  ],
  [
    "a default beyond its limits",
    `${parameter}{ type: number, default: 9, validation: { min: 1, max: 4 } }`,
    "7:34",
    "parameters.size.default: invalid value: found 9, wanted at most 4",
  ],
  [
    "a default that is no option",
    `${parameter}{ default: c, options: [{ name: A, value: a }] }`,
    "7:20",
    'parameters.size.default: invalid value: found "c", wanted one of "a"',
  ],
  [
    "an option twice",
    `${parameter}{ default: a, options: [{ name: A, value: a }, { name: B, value: a }] }`,
    "7:74",
    'parameters.size.options[1].value: duplicate value "a"',
  ],
  [
    "a bad expression",
    `${parameter}{ default: a, validation: { regex: "(", error: no } }`,
    "7:44",
    "parameters.size.validation.regex: found a regular expression that does not compile with RE2: missing closing ): `(`",
  ],
  [
    "a preset of no parameter",
    `${preset}{ parameters: { size: 1 } }`,
    "7:26",
    "presets.Small.parameters.size: unknown parameter `size`",
  ],
  [
    "many prebuilds",
    `${preset}{ prebuilds: { instances: 5000 } }`,
    "7:36",
    "presets.Small.prebuilds.instances: found the number 5000, wanted a whole number from 0 to 1000",
  ],
  [
    "an unknown time zone",
    `${preset}{ prebuilds: { instances: 1, schedule: { timezone: Europe/Berln, windows: [] } } }`,
    "7:61",
    'presets.Small.prebuilds.schedule.timezone: found the time zone "Europe/Berln", wanted an IANA name such as Europe/Berlin',
  ],
  [
    "a window that never comes",
    `${preset}{ prebuilds: { instances: 1, schedule: { timezone: UTC, windows: [{ cron: "* 8 31 2 *", instances: 1 }] } } }`,
    "7:84",
    'presets.Small.prebuilds.schedule.windows[0].cron: found "* 8 31 2 *", which never occurs, wanted a day that one of its months has',
  ],
  [
    "a bad address",
    `${good}    apps:\n      web: { url: "htp://x" }\n`,
    "7:19",
    'agents.main.apps.web.url: found the URL "htp://x", wanted one that starts with http:// or https://, or `external: true`',
  ],
  [
    "a bad variable",
    `${good}    env: { "A B": x }\n`,
    "6:12",
    'agents.main.env.A B: found the name "A B", wanted letters, digits and underscores, not beginning with a digit, at most 256 characters',
  ],
  [
    "too many parameters",
    `${good}parameters:\n${parameters(101)}`,
    "6:1",
    "parameters: found 101 entries, wanted at most 100",
  ],
  [
    "too many lines",
    `${good}${"x: 1\n".repeat(20_000)}`,
    "1:1",
    "found more than 50000 YAML tokens",
  ],
];
