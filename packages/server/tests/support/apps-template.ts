/** Returns a template of one agent with apps, each with the YAML of its settings. */
export function appsTemplate(
  driver: "process" | "external",
  apps: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries(apps).map(([name, settings]) => `      ${name}: ${settings}\n`);
  return `
driver: ${driver}
agents:
  main:
    os: linux
    arch: amd64
    apps:
${lines.join("")}`;
}
