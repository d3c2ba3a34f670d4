import { type AppDefinition, openIns, sharingLevels } from "../definition.ts";
import { maxDescriptionLength, maxUrlLength } from "../limits.ts";
import type { Location } from "../location.ts";
import type { Reader } from "../reader.ts";
import { hasExpression } from "../template-text.ts";
import { schemeProblem, urlProblem } from "../url.ts";
import {
  command as shellCommand,
  icon,
  line,
  order,
  renderedLine,
  renderedWebUrl,
} from "./common-fields.ts";
import { object } from "./map-shape.ts";
import { boolean, duration, integer } from "./scalar-shape.ts";
import {
  optional,
  refine,
  required,
  type Shape,
  transform,
  type ValueOf,
  withDefault,
  withExample,
} from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const health = object({
  url: required(
    withExample(
      "URL that the agent requests with GET; a status below 500 means healthy. May contain expressions.",
      "http://localhost:8080/healthz",
    ),
    renderedWebUrl,
  ),
  interval: withDefault(
    withExample("Time between two requests.", "30s"),
    duration({ min: 1, max: 86_400 }),
    10,
    "10s",
  ),
  threshold: withDefault(
    withExample("Number of consecutive failures that still count as healthy.", 5),
    integer({ min: 1, max: 1_000 }),
    3,
  ),
});

const fields = object({
  display_name: optional(
    withExample("Name that people see (default: the slug). May contain expressions.", "Editor"),
    renderedLine,
  ),
  url: optional(
    withExample(
      "URL of the app as seen from the workspace; for an external app, as seen from the browser. May contain expressions.",
      "http://localhost:8080",
    ),
    text({
      maxLength: maxUrlLength,
      minLength: 1,
      rendered: "plain",
      problem: urlProblem,
      wanted: "a URL",
    }),
  ),
  command: optional(
    withExample(
      "Command that a terminal runs, for an app without a URL. May contain the same expressions as the `run` of scripts.",
      "htop",
    ),
    shellCommand,
  ),
  icon,
  external: withDefault(
    "True if browsers open the URL directly, not through the server.",
    boolean,
    false,
  ),
  subdomain: withDefault(
    "True if the app has its own host name instead of a path.",
    boolean,
    false,
  ),
  share: withDefault("Users who may open the app.", choice(sharingLevels), "owner"),
  health: optional("Requests with which the agent checks the app.", health),
  group: withDefault(
    withExample("Heading under which the app is listed with others.", "Databases"),
    line,
    "",
  ),
  hidden: withDefault("True to leave the app out of the dashboard.", boolean, false),
  open_in: withDefault(
    "Window in which the dashboard opens the app.",
    choice(openIns),
    "slim-window",
  ),
  order,
  tooltip: withDefault(
    withExample("Text shown when the pointer is over the app.", "Opens in the browser"),
    text({ maxLength: maxDescriptionLength }),
    "",
  ),
});
type AppFields = ValueOf<typeof fields>;

/** An app of the workspace that people open, keyed by slug. `order` is -1 by default. */
export const app: Shape<AppDefinition> = transform(refine(fields, checkApp), (read, { key }) => ({
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

function checkApp(read: AppFields, location: Location, reader: Reader): void {
  const { url, command, external } = read;
  if ((url === undefined) === (command === undefined)) {
    const found = url === undefined ? "neither `url` nor `command`" : "both `url` and `command`";
    reader.reportKey(location, `found ${found}, wanted one of them`);
  }
  // If the URL starts with an expression, only its value tells the kind of URL.
  if (url !== undefined && !hasExpression(url.slice(0, 8))) {
    const problem = schemeProblem({ url, isExternal: external });
    if (problem !== undefined) reader.report(reader.child(location, "url"), problem);
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
        reader.child(location, key),
        `found \`${key}\` for an external app, which the server does not reach`,
      );
  }
}
