import { addressProblem, schemeProblem } from "../address.ts";
import { type AppDefinition, openIns, sharingLevels } from "../definition.ts";
import { maxDescriptionLength, maxUrlLength } from "../limits.ts";
import type { Place, Reader } from "../reader.ts";
import { hasExpression } from "../template-text.ts";
import {
  command as shellCommand,
  icon,
  iconMeaning,
  line,
  renderedLine,
  renderedWebUrl,
} from "./common-text.ts";
import { object } from "./map-shape.ts";
import { duration, flag, integer } from "./scalar-shape.ts";
import { about, checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const health = object({
  url: required(
    about(
      "Address that the agent requests with GET; a status below 500 means healthy. May contain expressions.",
      "http://localhost:8080/healthz",
    ),
    renderedWebUrl,
  ),
  interval: withDefault(
    about("Time between two requests.", "30s"),
    duration({ min: 1, max: 86_400 }),
    10,
    "10s",
  ),
  threshold: withDefault(
    about("Number of failures in a row that still count as healthy.", 5),
    integer({ min: 1, max: 1_000 }),
    3,
  ),
});

const fields = object({
  display_name: optional(
    about("Name that people see (default: the slug). May contain expressions.", "Editor"),
    renderedLine,
  ),
  url: optional(
    about(
      "Address of the app as seen from the workspace; of an external app, as seen from the browser. May contain expressions.",
      "http://localhost:8080",
    ),
    text({
      maxLength: maxUrlLength,
      minLength: 1,
      rendered: "plain",
      problem: addressProblem,
      wanted: "an address",
    }),
  ),
  command: optional(
    about(
      "Command that a terminal runs, for an app without an address. May contain the same expressions as the `run` of scripts.",
      "htop",
    ),
    shellCommand,
  ),
  icon: withDefault(iconMeaning, icon, ""),
  external: withDefault(
    "Whether browsers open the address as it is, and not through the server.",
    flag,
    false,
  ),
  subdomain: withDefault(
    "Whether the app has a host name of its own instead of a path.",
    flag,
    false,
  ),
  share: withDefault("Users who may open the app.", choice(sharingLevels), "owner"),
  health: optional("Requests by which the agent finds out whether the app works.", health),
  group: withDefault(
    about("Heading under which the app is listed with others.", "Databases"),
    line,
    "",
  ),
  hidden: withDefault("Whether the dashboard leaves the app out.", flag, false),
  open_in: withDefault(
    "Window in which the dashboard opens the app.",
    choice(openIns),
    "slim-window",
  ),
  order: optional(
    about("Position among the others (default: as in the file).", 1),
    integer({ min: 0, max: 10_000 }),
  ),
  tooltip: withDefault(
    about("Text that people see when they point at the app.", "Opens in the browser"),
    text({ maxLength: maxDescriptionLength }),
    "",
  ),
});
type AppFields = NonNullable<ReturnType<(typeof fields)["read"]>>;

/** An app of the workspace that people open, under its slug. `order` is -1 by default. */
export const app: Shape<AppDefinition> = mapped(checked(fields, checkApp), (read, { key }) => ({
  slug: key,
  displayName: read.display_name ?? key,
  url: read.url ?? "",
  command: read.command ?? "",
  icon: read.icon,
  isExternal: read.external,
  isSubdomain: read.subdomain,
  share: read.share,
  health:
    read.health === undefined
      ? undefined
      : {
          url: read.health.url,
          intervalSeconds: read.health.interval,
          threshold: read.health.threshold,
        },
  group: read.group,
  isHidden: read.hidden,
  openIn: read.open_in,
  order: read.order ?? -1,
  tooltip: read.tooltip,
}));

function checkApp(read: AppFields, place: Place, reader: Reader): void {
  const { url, command, external } = read;
  if ((url === undefined) === (command === undefined)) {
    const found = url === undefined ? "neither `url` nor `command`" : "both `url` and `command`";
    reader.reportKey(place, `found ${found}, wanted one of them`);
  }
  // When an expression comes first, only its value tells the kind of address.
  if (url !== undefined && !hasExpression(url.slice(0, 8))) {
    const problem = schemeProblem({ url, isExternal: external });
    if (problem !== undefined) reader.report(reader.child(place, "url"), problem);
  }
  if (!external) return;
  const hasOther = {
    health: read.health !== undefined,
    subdomain: read.subdomain,
    command: command !== undefined,
  };
  for (const [key, has] of Object.entries(hasOther)) {
    if (has)
      reader.reportKey(
        reader.child(place, key),
        `found \`${key}\` of an external app, which the server does not reach`,
      );
  }
}
