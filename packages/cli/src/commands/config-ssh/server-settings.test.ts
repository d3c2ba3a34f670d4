import { expect, it } from "vitest";

import { checkServerSettings, maxServerOptions } from "./server-settings.ts";

it("takes host names and harmless options", () => {
  const settings = {
    hostname_prefix: "coder.",
    hostname_suffix: "slipway",
    ssh_config_options: { ServerAliveInterval: "30", setenv: "EDITOR=vi" },
  };
  expect(checkServerSettings(settings)).toEqual({
    prefix: "coder.",
    suffix: "slipway",
    options: [
      { name: "ServerAliveInterval", value: "30" },
      { name: "setenv", value: "EDITOR=vi" },
    ],
    warnings: [],
  });
});

it.each([
  ["ProxyCommand", "sh -c evil"],
  ["proxycommand", "sh -c evil"],
  ["LocalCommand", "evil"],
  ["PermitLocalCommand", "yes"],
  ["KnownHostsCommand", "/bin/evil"],
  ["XAuthLocation", "/bin/evil"],
  ["PKCS11Provider", "/tmp/evil.so"],
  ["SecurityKeyProvider", "/tmp/evil.so"],
  ["Include", "/tmp/evil"],
  ["Match", "exec evil"],
  ["Host", "*"],
  ["UserKnownHostsFile", "/home/ada/.bashrc"],
  ["ForwardAgent", "yes"],
  ["LocalForward", "8080 internal:80"],
  ["SendEnv", "*"],
  ["Compression", "yes\nProxyCommand evil"],
  ["Compression", "yes\rProxyCommand evil"],
  ["Compression\nProxyCommand", "evil"],
  ["Compression yes\nProxyCommand", "evil"],
  ["ProxyCommand=evil #", "x"],
  ["", "evil"],
  ["Compression", "\u0000"],
  ["Compression", ""],
  ["Compression", "x".repeat(2000)],
])("leaves out the server's %j with %j, and says so", (name, value) => {
  const { options, warnings } = checkServerSettings({ ssh_config_options: { [name]: value } });
  expect(options).toEqual([]);
  expect(warnings).toEqual([expect.stringMatching(/^ignored /)]);
});

it.each(["*", "?", "a*", "x y", "coder.\n", "!x", "$(id)", "'", "a".repeat(200), "ä"])(
  "takes no %j for a part of host names",
  (text) => {
    const checked = checkServerSettings({ hostname_prefix: text, hostname_suffix: text });
    expect(checked).toMatchObject({ prefix: undefined, suffix: undefined });
    expect(checked.warnings.length).toBe(2);
  },
);

it.each([undefined, null, 7, "text", [], { ssh_config_options: 7, hostname_prefix: {} }])(
  "takes nothing from an answer of %j",
  (answer) => {
    expect(checkServerSettings(answer)).toEqual({
      prefix: undefined,
      suffix: undefined,
      options: [],
      warnings: [],
    });
  },
);

it("takes no more options than its limit", () => {
  const many = Array.from({ length: maxServerOptions + 1 }, (_, index) => [`A${index}`, "x"]);
  const { options, warnings } = checkServerSettings({
    ssh_config_options: Object.fromEntries(many),
  });
  expect(options).toEqual([]);
  expect(warnings).toEqual([`ignored ${maxServerOptions + 1} options of the server: more than 64`]);
});
